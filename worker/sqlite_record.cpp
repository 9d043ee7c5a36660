#include "worker/sqlite_record.hpp"

#include <optional>
#include <unordered_map>
#include <utility>

#include <spdlog/spdlog.h>

#include "common/exit_status.hpp"
#include "worker/sqlite_connection.hpp"

namespace quire {
namespace {

using std::chrono::milliseconds;

class SqliteStore : public RecordStore {
 public:
  explicit SqliteStore(const SqliteRecord::Options& options, std::shared_ptr<spdlog::logger> log)
      : path_(options.path),
        client_(options.client),
        capture_output_(options.capture_output),
        log_(std::move(log)) {
    connect(options.patience);
  }

  std::string name() const override { return "record " + path_; }

  void write(std::span<const RecordEntry> entries, milliseconds wait) override {
    try {
      connect(wait);
      SQLite::Transaction transaction(connection_->database, SQLite::TransactionBehavior::IMMEDIATE);
      write_entries(entries);
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
    forget_ended(entries);
  }

 private:
  // Where the rows of a batch in hand are; a hint that is checked when it is used, since its transaction may
  // have been undone or the file replaced.
  struct Rows {
    std::int64_t batch = 0;
    std::unordered_map<std::string, std::int64_t> tasks;

    // 0 when it is not known; SQLite counts from 1.
    std::int64_t of(const std::string& id) const {
      const auto found = tasks.find(id);
      return found == tasks.end() ? 0 : found->second;
    }
  };
  static std::string key(const Batch& batch) { return batch.handle + '\n' + batch.unique; }

  void connect(milliseconds wait) {
    if (connection_ && !connection_->is_in_place()) {
      log_->error(
          "The record {} was deleted or replaced while it was open; what it held is gone, and recording "
          "goes on in the file that is there now.",
          path_);
      connection_.reset();
    }
    if (!connection_) connection_.emplace(path_, wait);
    connection_->database.setBusyTimeout(static_cast<int>(wait.count()));
  }

  void write_entries(std::span<const RecordEntry> entries) {
    for (const RecordEntry& entry : entries) {
      entry.kind == RecordEntry::Kind::started ? write_start(entry) : write_end(entry);
    }
  }

  void write_start(const RecordEntry& entry) {
    const Batch& batch = *entry.batch;
    const std::string time = record_time(entry.time);
    Rows rows{insert_batch(batch, &time), {}};
    rows.tasks.reserve(entry.tasks->size());
    for (const Task* task : *entry.tasks) {
      rows.tasks.emplace(task->id, begin_task(batch, *task, rows.batch, time));
    }
    rows_.insert_or_assign(key(batch), std::move(rows));
  }

  void write_end(const RecordEntry& entry) {
    const Batch& batch = *entry.batch;
    const auto found = rows_.find(key(batch));
    const Rows* rows = found == rows_.end() ? nullptr : &found->second;

    std::int64_t failed = 0;
    for (const Task& task : batch.tasks) failed += !task.result || task.result->exit_code != 0;
    const std::string time = record_time(entry.time);
    std::int64_t number = rows == nullptr ? 0 : rows->batch;
    if (!finish_batch(batch, number, time, failed)) {
      number = insert_batch(batch, nullptr);
      finish_batch(batch, number, time, failed);
    }
    for (const Task& task : batch.tasks) {
      if (!task.result) continue;
      const std::int64_t sequence = rows == nullptr ? 0 : rows->of(task.id);
      if (sequence == 0 || !end_task(task, sequence, time)) {
        end_task(task, row_of_task(batch, task, number), time);
      }
    }
  }

  void forget_ended(std::span<const RecordEntry> entries) {
    for (const RecordEntry& entry : entries) {
      if (entry.kind == RecordEntry::Kind::finished) rows_.erase(key(*entry.batch));
    }
  }

  std::int64_t insert_batch(const Batch& batch, const std::string* start) {
    SQLite::Statement& statement = connection_->insert_batch;
    bind_bytes(statement, 1, batch.unique);
    bind_bytes(statement, 2, batch.handle);
    bind_bytes(statement, 3, batch.function);
    bind_bytes(statement, 4, client_);
    bind_or_null(statement, 5, start);
    statement.bind(6, static_cast<std::int64_t>(batch.tasks.size()));
    execute(statement);
    return connection_->database.getLastInsertRowid();
  }

  bool finish_batch(const Batch& batch, std::int64_t number, const std::string& time, std::int64_t failed) {
    SQLite::Statement& statement = connection_->finish_batch;
    statement.bindNoCopy(1, time);
    statement.bind(2, failed);
    statement.bind(3, number);
    bind_bytes(statement, 4, batch.handle);
    bind_bytes(statement, 5, batch.unique);
    return execute(statement) == 1;
  }

  // The row of a task that is about to be run, and one attempt more.
  std::int64_t begin_task(const Batch& batch, const Task& task, std::int64_t number,
                          const std::string& time) {
    if (const auto sequence = insert_task(batch, task, number, &time)) return *sequence;
    SQLite::Statement& statement = connection_->restart_task;
    bind_task(statement, batch, task, number, &time);
    statement.executeStep();
    const std::int64_t sequence = statement.getColumn(0).getInt64();
    statement.reset();
    return sequence;
  }

  // The row of a task whose start is not known here: it was answered without being run, or its start was
  // recorded by an earlier connection or not at all.
  std::int64_t row_of_task(const Batch& batch, const Task& task, std::int64_t number) {
    if (const auto sequence = insert_task(batch, task, number, nullptr)) return *sequence;
    SQLite::Statement& statement = connection_->find_task;
    bind_bytes(statement, 1, task.id);
    statement.executeStep();
    const std::int64_t sequence = statement.getColumn(0).getInt64();
    statement.reset();
    return sequence;
  }

  // Nothing when there is a row already.
  std::optional<std::int64_t> insert_task(const Batch& batch, const Task& task, std::int64_t number,
                                          const std::string* start) {
    bind_task(connection_->insert_task, batch, task, number, start);
    if (execute(connection_->insert_task) == 0) return std::nullopt;
    return connection_->database.getLastInsertRowid();
  }

  void bind_task(SQLite::Statement& statement, const Batch& batch, const Task& task, std::int64_t number,
                 const std::string* start) {
    const std::optional<Timestamp> created = parse_rfc3339(task.created_date);
    const std::string created_time = created ? record_time(*created) : std::string();
    bind_bytes(statement, 1, task.id);
    created ? statement.bind(2, created_time) : statement.bind(2);
    bind_bytes(statement, 3, batch.function);
    bind_bytes(statement, 4, task.arguments);
    statement.bind(5, static_cast<int>(task.wants_output));
    statement.bind(6, number);
    bind_bytes(statement, 7, client_);
    bind_or_null(statement, 8, start);
    statement.bind(9, start == nullptr ? 0 : 1);
  }

  bool end_task(const Task& task, std::int64_t sequence, const std::string& now) {
    const TaskResult& result = *task.result;
    const std::string time = result.finished ? record_time(*result.finished) : now;
    const std::int64_t exit_code = wire_exit_code(result.exit_code);
    const bool error_wanted = capture_output_ || exit_code != 0;
    SQLite::Statement& statement = connection_->finish_task;
    statement.bindNoCopy(1, time);
    statement.bind(2, exit_code);
    bind_or_null(statement, 3, capture_output_ ? &result.output : nullptr);
    bind_or_null(statement, 4, error_wanted ? &result.error : nullptr);
    bind_or_null(statement, 5,
                 capture_output_ && !result.process_output.empty() ? &result.process_output : nullptr);
    bind_or_null(statement, 6,
                 error_wanted && !result.process_error.empty() ? &result.process_error : nullptr);
    statement.bind(7, sequence);
    bind_bytes(statement, 8, task.id);
    return execute(statement) == 1;
  }

  const std::string path_;
  const std::string client_;
  const bool capture_output_;
  const std::shared_ptr<spdlog::logger> log_;
  // Nothing after an error, until the next write: a statement that broke off is not used again, and the file
  // may have been repaired, replaced or mounted anew by then.
  std::optional<RecordConnection> connection_;
  std::unordered_map<std::string, Rows> rows_;
};

std::unique_ptr<SqliteStore> open_store(const SqliteRecord::Options& options,
                                        const std::shared_ptr<spdlog::logger>& log) {
  try {
    return std::make_unique<SqliteStore>(options, log);
  } catch (const std::exception& error) {
    throw std::runtime_error("The record " + options.path + " cannot be opened: " + error.what() + ".");
  }
}

}  // namespace

struct SqliteRecord::Impl {
  Impl(const Options& options, const std::shared_ptr<spdlog::logger>& log)
      : store(open_store(options, log)), writer(*store, log, options.patience) {}

  // Closing the last connection to a file brings its write-ahead log into it.
  std::unique_ptr<SqliteStore> store;
  RecordWriter writer;
};

SqliteRecord::SqliteRecord(Options options, std::shared_ptr<spdlog::logger> log)
    : impl_(std::make_unique<Impl>(options, log)) {}

SqliteRecord::~SqliteRecord() = default;

TaskRecord::Begun SqliteRecord::begin(const Batch& batch, const std::vector<Task*>& tasks) {
  impl_->writer.record({RecordEntry::Kind::started, &batch, &tasks, now()});
  return {.to_run = tasks, .elsewhere = {}};
}

void SqliteRecord::interrupted(const Batch&, const std::vector<Task*>&) {}

void SqliteRecord::delivered(const std::string&, const std::string&, bool) {}

void SqliteRecord::finished(const Batch& batch) {
  impl_->writer.record({RecordEntry::Kind::finished, &batch, nullptr, now()});
}

RecordState SqliteRecord::state() const { return impl_->writer.state(); }

std::string SqliteRecord::describe() const {
  const RecordState now = state();
  return impl_->store->name() + ": " + (now.healthy ? "written" : now.problem) + ", " +
         std::to_string(impl_->writer.waiting()) + " entries waiting";
}

}  // namespace quire
