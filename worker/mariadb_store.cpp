#include "worker/mariadb_store.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

#include "common/exit_status.hpp"

namespace quire {
namespace {

constexpr std::size_t client_column = 50;  // characters, as the controllers have it

// A statement for more than this has no advantage.
constexpr std::size_t usual_packet = 4 << 20;

// An end that a worker wrote. When MCPServer starts it closes the rows that are open by itself, which says
// nothing of the task.
constexpr const char* has_ended =
    "(endTime IS NOT NULL AND exitCode IS NOT NULL AND NOT (exitCode = -1 AND "
    "stdError = 'MCP shut down while processing.'))";

// The process must be told in any case.
std::string fitted_client(const std::string& client) {
  if (client.size() <= client_column) return client;
  const std::string process = client.substr(std::min(client.rfind(':'), client.size()));
  return client.substr(0, client_column - std::min(process.size(), client_column)) + process;
}

std::optional<Timestamp> time_of(const std::string& column) { return parse_rfc3339(column + "+00:00"); }

}  // namespace

class MariadbStore::Transaction {
 public:
  Transaction(MariadbConnection& connection, std::size_t limit) : connection_(connection), limit_(limit) {}

  // Gives the place of its result.
  std::size_t add(std::string_view statement) {
    if (!packet_.empty() && packet_.size() + statement.size() + 1 > limit_) send();
    packet_ += statement;
    packet_ += ';';
    return added_++;
  }

  std::vector<MariadbConnection::Result> commit() {
    add("COMMIT");
    send();
    return std::move(results_);
  }

 private:
  void send() {
    for (auto& result : connection_.execute(packet_)) results_.push_back(std::move(result));
    packet_.clear();
  }

  MariadbConnection& connection_;
  const std::size_t limit_;
  std::string packet_;
  std::size_t added_ = 0;
  std::vector<MariadbConnection::Result> results_;
};

MariadbStore::MariadbStore(Options options)
    : options_(std::move(options)), client_(fitted_client(options_.client)), connector_(options_.address) {}

void MariadbStore::open(std::chrono::milliseconds wait) {
  connection_ = &connector_.connection(wait);
  if (columns_) return;
  // Where strict mode refuses a value it is replaced instead, which then concerns nothing but what was made
  // to fit already. Without READ COMMITTED a row that is missing would lock the gap where the controller
  // inserts.
  connection_->execute(
      "SET SESSION sql_mode = ''; SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;"
      "SET SESSION autocommit = 0; SET SESSION innodb_lock_wait_timeout = 1");
  columns_ = TaskColumns::read(*connection_);
  connection_->execute("COMMIT");
}

void MariadbStore::close() {
  connector_.close();
  columns_.reset();
  connection_ = nullptr;
}

void MariadbStore::write(std::span<const RecordEntry> entries, std::chrono::milliseconds wait) {
  const bool was_open = connector_.is_open();
  has_written_ = false;
  try {
    try {
      attempt(entries, wait);
    } catch (const MariadbError& error) {
      // A server closes what is idle for long, and one that was started anew knows of no connection.
      if (!was_open || !error.connection_lost()) throw;
      close();
      attempt(entries, wait);
    }
  } catch (const MariadbError& error) {
    if (error.locked_out()) {
      try {
        connection_->execute("ROLLBACK");
      } catch (const MariadbError&) {
        close();
      }
    } else {
      close();
    }
    if (error.about_a_value()) throw std::runtime_error(error.what());
    throw RecordBusy(error.what());
  } catch (const std::runtime_error& error) {
    close();
    throw RecordBusy(error.what());
  }
  has_written_ = true;
}

void MariadbStore::attempt(std::span<const RecordEntry> entries, std::chrono::milliseconds wait) {
  open(wait);
  Transaction transaction(*connection_, statement_limit());
  std::vector<Beginning> beginnings;
  for (const RecordEntry& entry : entries) {
    switch (entry.kind) {
      case RecordEntry::Kind::begun:
        beginnings.push_back(add_begin(transaction, entry));
        break;
      case RecordEntry::Kind::interrupted:
        add_interruption(transaction, entry);
        break;
      case RecordEntry::Kind::finished:
      case RecordEntry::Kind::owed:
        add_end(transaction, entry);
        break;
      case RecordEntry::Kind::delivered:
      case RecordEntry::Kind::paid:
        break;  // the table has no place for it
    }
  }
  const auto results = transaction.commit();
  for (const Beginning& beginning : beginnings) {
    std::uint64_t matched = 0;
    for (std::size_t i = 0; i < beginning.statements; ++i) matched += results[beginning.first + i].matched;
    // Of those that are not among the ones that begin, some have ended, or have no row.
    if (matched < beginning.entry->tasks->size()) look_up_ended(*beginning.entry);
    *beginning.entry->begun = {};
    for (Task* task : *beginning.entry->tasks) {
      if (!task->result) beginning.entry->begun->to_run.push_back(task);
    }
  }
}

MariadbStore::Beginning MariadbStore::add_begin(Transaction& transaction, const RecordEntry& entry) {
  Beginning beginning{&entry, 0, 0};
  for (const std::string& ids : id_lists(*entry.tasks)) {
    std::string statement = "UPDATE Tasks SET startTime = '" + record_time(entry.time) + "', client = ";
    connection_->append_quoted(statement, client_);
    statement += " WHERE taskUUID IN (" + ids + ") AND NOT " + has_ended;
    const std::size_t place = transaction.add(statement);
    if (beginning.statements++ == 0) beginning.first = place;
  }
  return beginning;
}

// A row that another worker has begun meanwhile keeps what that one wrote.
void MariadbStore::add_interruption(Transaction& transaction, const RecordEntry& entry) {
  for (const std::string& ids : id_lists(*entry.tasks)) {
    std::string statement = "UPDATE Tasks SET startTime = NULL WHERE endTime IS NULL AND client = ";
    connection_->append_quoted(statement, client_);
    statement += " AND taskUUID IN (" + ids + ")";
    transaction.add(statement);
  }
}

// Which texts of a row are written: both, that of an error, or none.
void MariadbStore::add_end(Transaction& transaction, const RecordEntry& entry) {
  std::vector<const Task*> tasks;
  for (const Task& task : entry.batch->tasks) {
    if (task.result && !task.result->in_database) tasks.push_back(&task);
  }
  // Who locks rows in the same order as all others cannot deadlock with them.
  std::ranges::sort(tasks, {}, &Task::id);

  const std::size_t limit = statement_limit();
  const std::string id =
      columns_->id.character_set.empty()
          ? "r.i"
          : "CONVERT(r.i USING " + columns_->id.character_set + ") COLLATE " + columns_->id.collation;
  // What is written long after it came about tells of its start, too, and may have been overtaken.
  std::string more;
  std::string condition;
  if (entry.kind == RecordEntry::Kind::owed) {
    if (entry.time != Timestamp()) {
      more = ", Tasks.startTime = '" + record_time(entry.time) + "', Tasks.client = ";
      connection_->append_quoted(more, fitted_client(entry.client));
    }
    condition = std::string(" WHERE NOT (") + has_ended + " AND Tasks.endTime > CAST(r.t AS DATETIME(6)))";
  }
  enum Texts : std::size_t { none, error, both };
  for (const Texts texts : {none, error, both}) {
    std::string rows;
    const auto send = [&] {
      if (rows.empty()) return;
      transaction.add("UPDATE (" + rows + ") AS r STRAIGHT_JOIN Tasks ON Tasks.taskUUID = " + id +
                      " SET Tasks.endTime = r.t, Tasks.exitCode = r.c" +
                      (texts >= both ? ", Tasks.stdOut = r.o" : "") +
                      (texts >= error ? ", Tasks.stdError = r.e" : "") + more + condition);
      rows.clear();
    };
    for (const Task* task : tasks) {
      const TaskResult& result = *task->result;
      const std::int64_t code = wire_exit_code(result.exit_code);
      if (texts != (options_.capture_output ? both : code != 0 ? error : none)) continue;
      std::string row = "SELECT ";
      append_id(row, task->id);
      row += " AS i, '" + record_time(result.finished.value_or(entry.time)) + "' AS t, " +
             std::to_string(code) + " AS c";
      if (texts >= error) {
        const std::size_t room = columns_->max_allowed_packet -
                                 std::min<std::size_t>(columns_->max_allowed_packet, row.size() + 512);
        const std::string out = texts == both ? columns_->output.readable(result.output) : std::string();
        const std::string err = columns_->error.readable(result.error);
        const std::size_t out_size = quoted_size(out);
        const std::size_t err_size = quoted_size(err);
        if (texts == both) {
          row += ", ";
          append_text(row, columns_->output, out, std::max(room / 2, room - std::min(room, err_size)));
          row += " AS o";
        }
        row += ", ";
        append_text(row, columns_->error, err, std::max(room / 2, room - std::min(room, out_size)));
        row += " AS e";
      }
      if (!rows.empty() && rows.size() + row.size() + 512 > limit) send();
      if (!rows.empty()) rows += " UNION ALL ";
      rows += row;
    }
    send();
  }
}

void MariadbStore::look_up_ended(const RecordEntry& entry) {
  std::unordered_map<std::string_view, Task*> tasks;
  for (Task* task : *entry.tasks) tasks.emplace(task->id, task);
  for (const std::string& ids : id_lists(*entry.tasks)) {
    const auto results = connection_->execute(
        "SELECT taskUUID, endTime, exitCode, stdOut, stdError FROM Tasks WHERE taskUUID IN (" + ids +
        ") AND " + has_ended + ";COMMIT");
    for (const MariadbConnection::Row& row : results.front().rows) {
      const auto found = tasks.find(row[0].value_or(""));
      if (found == tasks.end()) continue;
      TaskResult& result = found->second->result.emplace();
      result.on_record = true;
      result.finished = time_of(row[1].value_or(""));
      result.exit_code = std::stoll(row[2].value_or("0"));
      result.output = row[3].value_or("");
      result.error = row[4].value_or("");
      if (found->second->wants_output && !options_.capture_output && result.output.empty()) {
        result.error +=
            "The task was run before; its output was not recorded (capture_client_script_output = no).\n";
      }
    }
  }
}

std::vector<std::string> MariadbStore::id_lists(const std::vector<Task*>& tasks) const {
  const std::size_t limit = statement_limit();
  std::vector<std::string> lists;
  for (const Task* task : tasks) {
    if (lists.empty() || lists.back().size() + 2 * task->id.size() + 512 > limit) lists.emplace_back();
    if (!lists.back().empty()) lists.back() += ',';
    append_id(lists.back(), task->id);
  }
  return lists;
}

void MariadbStore::append_id(std::string& statement, const std::string& id) const {
  if (columns_->id.character_set.empty()) statement += "_binary";
  connection_->append_quoted(statement, id);
}

void MariadbStore::append_text(std::string& statement, const TextColumn& column, const std::string& text,
                               std::size_t room) const {
  if (column.holds == TextColumn::Holds::bytes) statement += "_binary";
  const std::size_t packet = columns_->max_allowed_packet;
  std::string fitted =
      cut_to(text, column.bytes, "its column holds " + std::to_string(column.bytes) + " bytes");
  const std::string why = "max_allowed_packet of the database is " + std::to_string(packet) + " bytes";
  // Quotes and such take two bytes on their way; how many there are depends on where it is cut.
  for (std::size_t limit = room; limit > 0 && quoted_size(fitted) > room;) {
    limit -= std::min<std::size_t>(limit, 16);
    fitted = cut_to(text, limit, why);
    if (quoted_size(fitted) > room) limit = limit * room / quoted_size(fitted);
  }
  connection_->append_quoted(statement, fitted);
}

std::size_t MariadbStore::quoted_size(const std::string& text) const {
  const auto is_escaped = [](char byte) {
    return byte == '\0' || byte == '\n' || byte == '\r' || byte == '\\' || byte == '\'' || byte == '"' ||
           byte == '\x1A';
  };
  return text.size() + static_cast<std::size_t>(std::ranges::count_if(text, is_escaped)) + 2;
}

std::size_t MariadbStore::statement_limit() const {
  const std::size_t packet = columns_->max_allowed_packet;
  return std::min(packet - packet / 8, usual_packet);
}

}  // namespace quire
