// One room although it is long: what is written when tasks begin and what is read when they come again are the
// same few columns, and a rule of the one is a rule of the other.
#include "worker/sqlite_store.hpp"

#include <utility>
#include <vector>

#include <spdlog/spdlog.h>

#include "common/exit_status.hpp"

namespace quire {
namespace {

// Replies of which nobody has told whether they arrived: more than this many are none that anybody waits for.
constexpr std::size_t most_awaiting = 100'000;

std::string key(const std::string& handle, const std::string& unique) { return handle + '\n' + unique; }
std::string key(const Batch& batch) { return key(batch.handle, batch.unique); }

// What a column of the record has, whether TEXT or BLOB.
std::string bytes_of(const SQLite::Column& column) {
  const void* bytes = column.getBlob();
  return bytes == nullptr ? std::string() : std::string(static_cast<const char*>(bytes), column.getBytes());
}

std::optional<Timestamp> time_of(const std::string& column) { return parse_rfc3339(column + "+00:00"); }

}  // namespace

SqliteStore::SqliteStore(const SqliteRecord::Options& options, std::shared_ptr<spdlog::logger> log)
    : options_(options), log_(std::move(log)), start_time_(record_time(now())) {}

void SqliteStore::open(std::chrono::milliseconds wait) {
  if (connection_ && !connection_->is_in_place()) {
    log_->error(
        "The record {} was deleted or replaced while it was open; what it held is gone, and recording "
        "goes on in the file that is there now.",
        options_.path);
    connection_.reset();
  }
  if (!connection_) {
    connection_.emplace(options_.path, wait);
    register_worker();
  }
  connection_->database.setBusyTimeout(static_cast<int>(wait.count()));
}

void SqliteStore::write(std::span<const RecordEntry> entries, std::chrono::milliseconds wait) {
  try {
    open(wait);
    SQLite::Transaction transaction(connection_->database, SQLite::TransactionBehavior::IMMEDIATE);
    for (const RecordEntry& entry : entries) {
      switch (entry.kind) {
        case RecordEntry::Kind::begun:
          write_begin(entry);
          break;
        case RecordEntry::Kind::interrupted:
          write_interruption(entry);
          break;
        case RecordEntry::Kind::finished:
          write_end(entry);
          break;
        case RecordEntry::Kind::delivered:
          write_delivery(entry);
          break;
      }
    }
    transaction.commit();
  } catch (const SQLite::Exception& error) {
    const std::string reason = error.what();
    const bool busy = is_busy(error);
    connection_.reset();
    if (busy) throw RecordBusy(reason);
    throw std::runtime_error(reason);
  } catch (...) {
    connection_.reset();
    throw;
  }
  for (const RecordEntry& entry : entries) forget(entry);
}

void SqliteStore::make_presence() {
  if (!presence_) presence_.emplace(options_.path + "-workers");
}

// A number of our own in this file, and the lock that tells others that it is in use. A number whose lock
// somebody holds belongs to a worker that has not noticed yet that the file was replaced.
void SqliteStore::register_worker() {
  make_presence();
  SQLite::Statement& find = connection_->find_worker;
  find.bind(1, worker_);
  bind_bytes(find, 2, options_.client);
  find.bindNoCopy(3, start_time_);
  const bool known = worker_ != 0 && find.executeStep();
  find.reset();
  if (known) return;

  rows_.clear();
  awaiting_delivery_.clear();
  SQLite::Transaction transaction(connection_->database, SQLite::TransactionBehavior::IMMEDIATE);
  do {
    bind_bytes(connection_->insert_worker, 1, options_.client);
    connection_->insert_worker.bindNoCopy(2, start_time_);
    execute(connection_->insert_worker);
    worker_ = connection_->database.getLastInsertRowid();
  } while (!presence_->hold(worker_));
  transaction.commit();
}

void SqliteStore::write_begin(const RecordEntry& entry) {
  const Batch& batch = *entry.batch;
  const std::string time = record_time(entry.time);
  *entry.begun = {};
  const auto [place, is_new] = rows_.try_emplace(key(batch));
  Rows& rows = place->second;
  if (is_new) rows.batch = insert_batch(batch, &time);
  rows.tasks.reserve(entry.tasks->size());
  entry.begun->to_run.reserve(entry.tasks->size());
  for (Task* task : *entry.tasks) {
    if (task->result) continue;
    switch (look_up(batch, *task, rows, time)) {
      case Fate::to_run:
        entry.begun->to_run.push_back(task);
        break;
      case Fate::elsewhere:
        entry.begun->elsewhere.push_back(task);
        break;
      case Fate::answered:
        break;
    }
  }
}

// Most tasks are new, and cost one statement.
SqliteStore::Fate SqliteStore::look_up(const Batch& batch, Task& task, Rows& rows, const std::string& time) {
  if (const auto sequence = insert_task(batch, task, rows.batch, &time)) {
    rows.tasks.insert_or_assign(task.id, *sequence);
    return Fate::to_run;
  }
  SQLite::Statement& row = connection_->look_up;
  bind_bytes(row, 1, task.id);
  row.executeStep();
  const std::int64_t sequence = row.getColumn(0).getInt64();
  const bool begun = !row.getColumn(1).isNull();
  const std::int64_t attempts = row.getColumn(4).getInt64();
  const std::int64_t worker = row.getColumn(5).getInt64();
  const bool batch_in_hand = row.getColumn(8).getInt() != 0;
  if (!row.getColumn(2).isNull() && !row.getColumn(3).isNull()) {
    TaskResult& result = task.result.emplace();
    result.on_record = true;
    result.finished = time_of(row.getColumn(2).getString());
    result.exit_code = row.getColumn(3).getInt64();
    result.output = bytes_of(row.getColumn(6));
    result.error = bytes_of(row.getColumn(7));
    if (task.wants_output && row.getColumn(6).isNull()) {
      result.error +=
          "The task was run before; its output was not recorded (capture_client_script_output = no).\n";
    }
    row.reset();
    return Fate::answered;
  }
  row.reset();
  if (begun && batch_in_hand && worker != worker_ && presence_->is_alive(worker)) return Fate::elsewhere;

  if (begun) {
    connection_->keep_attempt.bind(1, sequence);
    execute(connection_->keep_attempt);
    if (attempts >= static_cast<std::int64_t>(options_.max_attempts)) {
      give_up(batch, task, sequence, attempts, time);
      return Fate::answered;
    }
  }
  bind_task(connection_->restart_task, batch, task, rows.batch, &time);
  execute(connection_->restart_task);
  rows.tasks.insert_or_assign(task.id, sequence);
  return Fate::to_run;
}

void SqliteStore::give_up(const Batch& batch, Task& task, std::int64_t sequence, std::int64_t attempts,
                          const std::string& time) {
  std::string history;
  SQLite::Statement& attempt = connection_->list_attempts;
  attempt.bind(1, sequence);
  while (attempt.executeStep()) {
    if (!history.empty()) history += ", ";
    history += attempt.getColumn(0).getString();
    history += " at ";
    history += attempt.getColumn(1).getString();
  }
  attempt.reset();
  task.fail("The task is not run again: it was begun " + std::to_string(attempts) +
            (attempts == 1 ? " time" : " times") +
            " (max_attempts) and its worker died each time: " + history + ".");
  log_->error("{} {}: task {}: {}", batch.handle, batch.function, task.id, task.result->error);
  end_task(task, sequence, time);
  task.result->on_record = true;
}

void SqliteStore::write_interruption(const RecordEntry& entry) {
  const auto found = rows_.find(key(*entry.batch));
  for (const Task* task : *entry.tasks) {
    std::int64_t sequence = found == rows_.end() ? 0 : found->second.of(task->id);
    // Not begun by us: it runs elsewhere, or was never begun.
    if (sequence == 0) continue;
    connection_->interrupt_task.bind(1, sequence);
    bind_bytes(connection_->interrupt_task, 2, task->id);
    execute(connection_->interrupt_task);
  }
}

void SqliteStore::write_end(const RecordEntry& entry) {
  const Batch& batch = *entry.batch;
  const auto found = rows_.find(key(batch));
  const Rows* rows = found == rows_.end() ? nullptr : &found->second;
  const std::string time = record_time(entry.time);
  std::int64_t number = rows == nullptr ? 0 : rows->batch;
  if (!finish_batch(batch, number, time)) {
    number = insert_batch(batch, nullptr);
    finish_batch(batch, number, time);
  }
  if (awaiting_delivery_.size() >= most_awaiting) awaiting_delivery_.clear();
  awaiting_delivery_.insert_or_assign(key(batch), number);
  for (const Task& task : batch.tasks) {
    if (!task.result || task.result->on_record) continue;
    const std::int64_t sequence = rows == nullptr ? 0 : rows->of(task.id);
    if (sequence == 0 || !end_task(task, sequence, time)) {
      end_task(task, row_of_task(batch, task, number), time);
    }
  }
}

void SqliteStore::write_delivery(const RecordEntry& entry) {
  const auto found = awaiting_delivery_.find(key(entry.handle, entry.unique));
  if (found == awaiting_delivery_.end()) return;
  const std::string delivery = entry.has_arrived ? "delivered" : "undelivered";
  SQLite::Statement& statement = connection_->deliver_batch;
  statement.bindNoCopy(1, delivery);
  statement.bind(2, found->second);
  bind_bytes(statement, 3, entry.handle);
  bind_bytes(statement, 4, entry.unique);
  execute(statement);
}

void SqliteStore::forget(const RecordEntry& entry) {
  if (entry.kind == RecordEntry::Kind::finished) rows_.erase(key(*entry.batch));
  if (entry.kind == RecordEntry::Kind::delivered) awaiting_delivery_.erase(key(entry.handle, entry.unique));
}

std::int64_t SqliteStore::insert_batch(const Batch& batch, const std::string* start) {
  SQLite::Statement& statement = connection_->insert_batch;
  bind_bytes(statement, 1, batch.unique);
  bind_bytes(statement, 2, batch.handle);
  bind_bytes(statement, 3, batch.function);
  bind_bytes(statement, 4, options_.client);
  bind_or_null(statement, 5, start);
  statement.bind(6, static_cast<std::int64_t>(batch.tasks.size()));
  statement.bind(7, worker_);
  execute(statement);
  return connection_->database.getLastInsertRowid();
}

// A batch of which a task has no result was cut short, and has no end.
bool SqliteStore::finish_batch(const Batch& batch, std::int64_t number, const std::string& time) {
  static const std::string interrupted = "interrupted";
  std::int64_t failed = 0;
  bool cut_short = false;
  for (const Task& task : batch.tasks) {
    cut_short = cut_short || !task.result;
    failed += task.result && task.result->exit_code != 0;
  }
  SQLite::Statement& statement = connection_->finish_batch;
  bind_or_null(statement, 1, cut_short ? nullptr : &time);
  statement.bind(2, failed);
  bind_or_null(statement, 3, cut_short ? &interrupted : nullptr);
  statement.bind(4, number);
  bind_bytes(statement, 5, batch.handle);
  bind_bytes(statement, 6, batch.unique);
  return execute(statement) == 1;
}

// The row of a task whose start is not known here: it was answered without being run, or its start was
// recorded by an earlier connection or not at all.
std::int64_t SqliteStore::row_of_task(const Batch& batch, const Task& task, std::int64_t number) {
  if (const auto sequence = insert_task(batch, task, number, nullptr)) return *sequence;
  SQLite::Statement& statement = connection_->find_task;
  bind_bytes(statement, 1, task.id);
  statement.executeStep();
  const std::int64_t sequence = statement.getColumn(0).getInt64();
  statement.reset();
  return sequence;
}

// Nothing when there is a row already.
std::optional<std::int64_t> SqliteStore::insert_task(const Batch& batch, const Task& task,
                                                     std::int64_t number, const std::string* start) {
  bind_task(connection_->insert_task, batch, task, number, start);
  if (execute(connection_->insert_task) == 0) return std::nullopt;
  return connection_->database.getLastInsertRowid();
}

void SqliteStore::bind_task(SQLite::Statement& statement, const Batch& batch, const Task& task,
                            std::int64_t number, const std::string* start) {
  const std::optional<Timestamp> created = parse_rfc3339(task.created_date);
  const std::string created_time = created ? record_time(*created) : std::string();
  bind_bytes(statement, 1, task.id);
  created ? statement.bind(2, created_time) : statement.bind(2);
  bind_bytes(statement, 3, batch.function);
  bind_bytes(statement, 4, task.arguments);
  statement.bind(5, static_cast<int>(task.wants_output));
  statement.bind(6, number);
  bind_bytes(statement, 7, options_.client);
  bind_or_null(statement, 8, start);
  statement.bind(9, start == nullptr ? 0 : 1);
}

bool SqliteStore::end_task(const Task& task, std::int64_t sequence, const std::string& now) {
  const TaskResult& result = *task.result;
  const std::string time = result.finished ? record_time(*result.finished) : now;
  const std::int64_t exit_code = wire_exit_code(result.exit_code);
  const bool capture = options_.capture_output;
  const bool error_wanted = capture || exit_code != 0;
  SQLite::Statement& statement = connection_->finish_task;
  statement.bindNoCopy(1, time);
  statement.bind(2, exit_code);
  bind_or_null(statement, 3, capture ? &result.output : nullptr);
  bind_or_null(statement, 4, error_wanted ? &result.error : nullptr);
  bind_or_null(statement, 5, capture && !result.process_output.empty() ? &result.process_output : nullptr);
  bind_or_null(statement, 6, error_wanted && !result.process_error.empty() ? &result.process_error : nullptr);
  statement.bind(7, sequence);
  bind_bytes(statement, 8, task.id);
  return execute(statement) == 1;
}

}  // namespace quire
