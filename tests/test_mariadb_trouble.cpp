// The database locked, away, read-only, refused: what it costs a batch, and what is in the table afterwards.
#include <sstream>
#include <thread>

#include <doctest/doctest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include "tests/support/batches.hpp"
#include "tests/support/mariadb_server.hpp"
#include "worker/mariadb_record.hpp"

using namespace quire;
using namespace quire::test;
using namespace std::chrono_literals;

namespace {

struct Fixture {
  MariadbServer& server = MariadbServer::fresh();
  std::ostringstream text;
  std::shared_ptr<spdlog::logger> log =
      std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text));

  MariadbRecord::Options options(std::chrono::milliseconds patience = 20s) const {
    return {.address = server.address(), .client = "host:42", .patience = patience};
  }
  // Why the record is not opened.
  std::string refusal(const MariadbAddress& address) {
    try {
      MariadbRecord record({.address = address, .client = "host:42"}, log);
      return "it was opened";
    } catch (const std::runtime_error& error) {
      return error.what();
    }
  }
};

void wait_until(const std::function<bool()>& condition, const char* what) {
  const auto give_up = std::chrono::steady_clock::now() + 60s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > give_up)
      throw std::runtime_error(std::string("waited for ") + what);
    std::this_thread::sleep_for(5ms);
  }
}

}  // namespace

TEST_CASE("mariadb trouble: a second writer") {
  Fixture fixture;
  MariadbServer& server = fixture.server;
  server.insert_tasks("a", 2);
  server.insert_tasks("other", 200);
  Batch batch = make_batch("a", 2);
  const std::unique_ptr<MariadbConnection> second = server.connect();
  const auto status = [&](const std::string& name) {
    return server.value(
        "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = '" + name + "'");
  };

  SUBCASE("a deadlock is tried again") {
    MariadbRecord record(fixture.options(), fixture.log);
    record.begin(batch, batch.unanswered());
    answer(batch);
    // The server undoes the transaction that has changed less: ours.
    second->execute(
        "BEGIN; UPDATE MCP.Tasks SET fileName = 'x' WHERE taskUUID LIKE 'other%';"
        "UPDATE MCP.Tasks SET fileName = 'x' WHERE taskUUID = 'a-1'");
    const std::string before = status("INNODB_DEADLOCKS");
    std::thread end([&] { record.finished(batch); });
    wait_until([&] { return status("INNODB_ROW_LOCK_CURRENT_WAITS") != "0"; }, "our transaction to wait");
    second->execute("UPDATE MCP.Tasks SET fileName = 'x' WHERE taskUUID = 'a-0'; COMMIT");
    end.join();
    CHECK(status("INNODB_DEADLOCKS") != before);
    CHECK(server.column("exitCode", "a-0") == "0");
    CHECK(server.column("exitCode", "a-1") == "0");
    CHECK(record.state().healthy);
  }
  SUBCASE("a row that stays locked holds no batch up for longer than it is waited for") {
    MariadbRecord record(fixture.options(0ms), fixture.log);
    record.begin(batch, batch.unanswered());
    answer(batch);
    second->execute("BEGIN; UPDATE MCP.Tasks SET fileName = 'x' WHERE taskUUID = 'a-1'");
    record.finished(batch);
    CHECK_FALSE(record.state().healthy);
    CHECK(record.state().problem.find("Lock wait timeout") != std::string::npos);
    second->execute("COMMIT");
    wait_until([&] { return record.state().healthy; }, "the record to be written");
    CHECK(server.column("exitCode", "a-1") == "0");
  }
}

TEST_CASE("mariadb trouble: the server away") {
  Fixture fixture;
  MariadbServer& server = fixture.server;
  server.insert_tasks("a", 3);
  server.insert_tasks("b", 3);
  Batch batch = make_batch("a", 3);
  Batch later = make_batch("b", 3);

  SUBCASE("for less time than it is waited for: it is on the table before the answer") {
    MariadbRecord record(fixture.options(), fixture.log);
    record.begin(batch, batch.unanswered());
    server.kill();
    answer(batch);
    std::thread end([&] { record.finished(batch); });
    server.start();
    end.join();
    CHECK(server.column("exitCode", "a-2") == "0");
    CHECK(record.state().healthy);
  }
  SUBCASE("for longer: batches go on, and what became of them is written in order") {
    MariadbRecord record(fixture.options(0ms), fixture.log);
    record.begin(batch, batch.unanswered());
    server.kill();
    answer(batch, 5);
    record.finished(batch);
    CHECK(record.begin(later, later.unanswered()).to_run.size() == 3);
    answer(later, 6);
    record.finished(later);
    // What is kept is known.
    Batch again = make_batch("b", 3);
    CHECK(record.begin(again, again.unanswered()).to_run.empty());
    CHECK(again.tasks[0].result->exit_code == 6);
    CHECK(record.state().entries_waiting == 4);
    server.start();
    wait_until([&] { return record.state().entries_waiting == 0; }, "the entries to be written");
    CHECK(record.state().entries_lost == 0);
    CHECK(server.column("exitCode", "a-2") == "5");
    CHECK(server.column("exitCode", "b-2") == "6");
    CHECK(server.column("startTime < endTime OR startTime IS NOT NULL", "b-2") == "1");
  }
  SUBCASE("at the start") {
    server.kill();
    MariadbRecord record(fixture.options(0ms), fixture.log);
    CHECK_FALSE(record.state().healthy);
    CHECK(record.begin(batch, batch.unanswered()).to_run.size() == 3);
    answer(batch);
    record.finished(batch);
    server.start();
    wait_until([&] { return record.state().healthy; }, "the record to be written");
    CHECK(server.column("exitCode", "a-2") == "0");
  }
  SUBCASE("there, and silent: it holds nobody up") {
    server.freeze();
    const auto begin = std::chrono::steady_clock::now();
    MariadbRecord record(fixture.options(0ms), fixture.log);
    for (int i = 0; i < 20; ++i) CHECK(record.begin(batch, batch.unanswered()).to_run.size() == 3);
    CHECK(std::chrono::steady_clock::now() - begin < 8s);  // the server is given 10 s to answer
    server.thaw();
    wait_until([&] { return record.state().healthy; }, "the record to be written");
  }
  SUBCASE("at the end: what is kept in memory is told") {
    {
      MariadbRecord record(fixture.options(0ms), fixture.log);
      server.kill();
      record.begin(batch, batch.unanswered());
      answer(batch);
      record.finished(batch);
    }
    CHECK(fixture.text.str().find("3 results are never written to the database MCP") !=
          std::string::npos);
  }
}

TEST_CASE("mariadb trouble: a connection that the server has closed for being idle is made anew") {
  Fixture fixture;
  MariadbServer& server = fixture.server;
  server.insert_tasks("a", 3);
  server.run("SET GLOBAL wait_timeout = 1");
  MariadbRecord record(fixture.options(), fixture.log);
  Batch batch = make_batch("a", 3);
  record.begin(batch, batch.unanswered());
  wait_until(
      [&] {
        return server.value(
                   "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'archivematica'") == "0";
      },
      "the server to close the connection");
  answer(batch);
  record.finished(batch);
  CHECK(server.column("exitCode", "a-2") == "0");
  CHECK(fixture.text.str().empty());
}

TEST_CASE("mariadb trouble: a server that is read-only") {
  Fixture fixture;
  MariadbServer& server = fixture.server;
  server.insert_tasks("a", 3);
  MariadbRecord record(fixture.options(0ms), fixture.log);
  Batch batch = make_batch("a", 3);
  record.begin(batch, batch.unanswered());
  server.run("SET GLOBAL read_only = 1");
  answer(batch);
  record.finished(batch);
  CHECK_FALSE(record.state().healthy);
  CHECK(record.state().problem.find("read-only") != std::string::npos);
  server.run("SET GLOBAL read_only = 0");
  wait_until([&] { return record.state().healthy; }, "the record to be written");
  CHECK(record.state().entries_lost == 0);
  CHECK(server.column("exitCode", "a-2") == "0");
}

TEST_CASE("mariadb trouble: what an administrator has to mend is told at the start, without the password") {
  Fixture fixture;
  MariadbAddress address = fixture.server.address();
  SUBCASE("a wrong password") {
    address.password = "battery staple";
    const std::string sentence = fixture.refusal(address);
    CHECK(sentence.starts_with("The database MCP at /"));
    CHECK(sentence.find("Access denied for user 'archivematica'") != std::string::npos);
    CHECK(sentence.find("battery") == std::string::npos);
  }
  SUBCASE("a database that is not there") {
    address.database = "MPC";
    CHECK(fixture.refusal(address).find("MPC") != std::string::npos);
  }
  SUBCASE("a database without the table") {
    fixture.server.run("DROP TABLE MCP.Tasks");
    CHECK(fixture.refusal(address).ends_with("it has no table Tasks; name the controller's own database."));
  }
  SUBCASE("a table of something else") {
    fixture.server.run("ALTER TABLE MCP.Tasks DROP COLUMN exitCode");
    CHECK(fixture.refusal(address).find("has no column exitcode") != std::string::npos);
  }
  CHECK(fixture.text.str().find("battery") == std::string::npos);
  CHECK(fixture.text.str().find("horse") == std::string::npos);
}
