#include "worker/sqlite_record.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>
#include <unordered_map>
#include <utility>

#include <SQLiteCpp/SQLiteCpp.h>
#include <spdlog/spdlog.h>

#include "common/exit_status.hpp"
#include "common/text.hpp"
#include "worker/sqlite_schema.hpp"

namespace quire {
namespace {

using std::chrono::milliseconds;

bool is_busy(const SQLite::Exception& error) {
  return error.getErrorCode() == SQLITE_BUSY || error.getErrorCode() == SQLITE_LOCKED;
}

// The bytes must outlive the statement's execution.
void bind_bytes(SQLite::Statement& statement, int index, const std::string& bytes) {
  if (bytes.find('\0') == std::string::npos && is_utf8(bytes)) {
    statement.bindNoCopy(index, bytes);
  } else {
    statement.bindNoCopy(index, static_cast<const void*>(bytes.data()), static_cast<int>(bytes.size()));
  }
}

void bind_or_null(SQLite::Statement& statement, int index, const std::string* bytes) {
  bytes == nullptr ? statement.bind(index) : bind_bytes(statement, index, *bytes);
}

int execute(SQLite::Statement& statement) {
  const int changes = statement.exec();
  statement.reset();
  return changes;
}

void create_folder_of(const std::filesystem::path& file) {
  const std::filesystem::path folder = file.parent_path();
  if (folder.empty() || std::filesystem::exists(folder)) return;
  create_folder_of(folder);
  if (::mkdir(folder.c_str(), 0750) != 0 && errno != EEXIST) {
    throw std::system_error(errno, std::generic_category(), "cannot create the folder " + folder.string());
  }
}

// SQLite would create the file readable for everybody, and gives its companions the mode of the file.
void create_file(const std::filesystem::path& file) {
  create_folder_of(file);
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
  if (descriptor >= 0) ::close(descriptor);  // what it cannot do, SQLite tells in a moment
}

SQLite::Database open_database(const std::string& path, milliseconds wait) {
  create_file(path);
  SQLite::Database database(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX,
                            static_cast<int>(wait.count()));
  prepare_record(database);
  database.exec("PRAGMA synchronous = NORMAL");
  database.exec("PRAGMA cache_size = -8192");
  database.exec("PRAGMA wal_autocheckpoint = 4000");
  database.exec("PRAGMA journal_size_limit = 67108864");
  return database;
}

// The open file and its statements. NOMUTEX: one thread at a time uses it.
struct Connection {
  Connection(const std::string& path, milliseconds wait) : database(open_database(path, wait)) {}

  // Whether the file at the path is still the one that is open here.
  bool is_in_place() const {
    int moved = 0;
    const int code = sqlite3_file_control(database.getHandle(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    return code != SQLITE_OK || moved == 0;
  }

  SQLite::Database database;
  SQLite::Statement insert_batch{database,
                                 "INSERT INTO Batches (uniqueId, handle, exec, client, startTime, tasks) "
                                 "VALUES (?1, ?2, ?3, ?4, ?5, ?6)"};
  SQLite::Statement finish_batch{
      database,
      "UPDATE Batches SET endTime = ?1, failed = ?2 WHERE batch = ?3 AND handle = ?4 AND uniqueId = ?5"};
  SQLite::Statement insert_task{
      database,
      "INSERT INTO Tasks (taskUUID, createdTime, exec, arguments, wantsOutput, batch, "
      "client, startTime, attempts) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) "
      "ON CONFLICT DO NOTHING"};
  SQLite::Statement restart_task{
      database,
      "UPDATE Tasks SET createdTime = ?2, exec = ?3, arguments = ?4, wantsOutput = ?5, batch = ?6, client = "
      "?7, "
      "startTime = ?8, attempts = attempts + ?9, endTime = NULL, exitCode = NULL, stdOut = NULL, stdError = "
      "NULL, "
      "processOut = NULL, processError = NULL WHERE taskUUID = ?1 RETURNING sequence"};
  SQLite::Statement find_task{database, "SELECT sequence FROM Tasks WHERE taskUUID = ?1"};
  SQLite::Statement finish_task{database,
                                "UPDATE Tasks SET endTime = ?1, exitCode = ?2, stdOut = ?3, stdError = ?4, "
                                "processOut = ?5, processError = ?6 WHERE sequence = ?7 AND taskUUID = ?8"};
};

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
    for (const Task* task : *entry.tasks)
      rows.tasks.emplace(task->id, begin_task(batch, *task, rows.batch, time));
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
      if (sequence == 0 || !end_task(task, sequence, time))
        end_task(task, row_of_task(batch, task, number), time);
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
  std::optional<Connection> connection_;
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

void SqliteRecord::started(const Batch& batch, const std::vector<Task*>& tasks) {
  impl_->writer.record({RecordEntry::Kind::started, &batch, &tasks, now()});
}

void SqliteRecord::finished(const Batch& batch) {
  impl_->writer.record({RecordEntry::Kind::finished, &batch, nullptr, now()});
}

RecordState SqliteRecord::state() const { return impl_->writer.state(); }

}  // namespace quire
