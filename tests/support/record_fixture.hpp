// The record of one test: where it is, what it logs, and how another process sees the file.
#pragma once

#include <memory>
#include <sstream>
#include <string>

#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include "tests/support/batches.hpp"
#include "tests/support/temporary_folder.hpp"
#include "worker/sqlite_record.hpp"

namespace quire::test {

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
