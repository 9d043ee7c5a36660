// The record of one test: where it is, what it logs, and how another process sees the file.
#pragma once

#include <memory>
#include <sstream>
#include <string>

#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include "tests/support/temporary_folder.hpp"
#include "worker/sqlite_record.hpp"

namespace quire::test {

// A batch whose tasks are NAME-0, NAME-1, …
inline Batch make_batch(const std::string& name, std::size_t tasks) {
  Batch batch;
  batch.function = "checksum_v0.0";
  batch.handle = "H:host:" + name;
  batch.unique = "unique-" + name;
  for (std::size_t i = 0; i < tasks; ++i) {
    Task task;
    task.id = name + "-" + std::to_string(i);
    task.created_date = "2024-08-04T21:34:35.241750+00:00";
    task.arguments = "\"file " + std::to_string(i) + "\"";
    batch.tasks.push_back(task);
  }
  return batch;
}

// Gives every task a result that can be told from all others.
inline void answer(Batch& batch, std::int64_t exit_code = 0) {
  for (Task& task : batch.tasks) {
    TaskResult result;
    result.exit_code = exit_code;
    result.output = "output of " + task.id;
    result.error = "error of " + task.id;
    result.process_output = "process output";
    result.process_error = "process error";
    result.finished = parse_rfc3339("2024-08-04T21:44:55.661575+00:00");
    task.result = result;
  }
}

inline void run_and_record(SqliteRecord& record, Batch& batch, std::int64_t exit_code = 0) {
  record.begin(batch, batch.unanswered());
  answer(batch, exit_code);
  record.finished(batch);
}

struct RecordFixture {
  TemporaryFolder folder;
  std::string path = (folder / "deep" / "er" / "record.sqlite").string();
  std::ostringstream text;
  std::shared_ptr<spdlog::logger> log =
      std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text));

  SqliteRecord open(bool capture_output = true,
                    std::chrono::milliseconds patience = std::chrono::seconds(20)) {
    return SqliteRecord(
        {.path = path, .client = "host:42", .capture_output = capture_output, .patience = patience}, log);
  }
  std::string open_error() {
    try {
      open();
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "it was opened";
  }

  SQLite::Database connect() const {
    return SQLite::Database(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, 20'000);
  }
  // The only value of a query; "NULL" where it is that.
  std::string value(const std::string& query) const {
    SQLite::Database database = connect();
    SQLite::Statement statement(database, query);
    REQUIRE(statement.executeStep());
    const SQLite::Column column = statement.getColumn(0);
    return column.isNull() ? "NULL" : column.getString();
  }
  int number(const std::string& query) const { return std::stoi(value(query)); }
  std::string column(const std::string& name, const std::string& id) const {
    return value("SELECT " + name + " FROM Tasks WHERE taskUUID = '" + id + "'");
  }
};

}  // namespace quire::test
