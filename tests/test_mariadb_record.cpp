#include "worker/mariadb_record.hpp"

#include <algorithm>
#include <map>
#include <sstream>
#include <thread>

#include <doctest/doctest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include "tests/support/batches.hpp"
#include "tests/support/mariadb_server.hpp"

using namespace quire;
using namespace quire::test;
using namespace std::chrono_literals;

namespace {

struct Fixture {
  explicit Fixture(const std::string& character_set = "utf8mb4")
      : server(MariadbServer::fresh(character_set)) {}

  MariadbServer& server;
  std::ostringstream text;
  std::shared_ptr<spdlog::logger> log =
      std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text));

  MariadbRecord open(bool capture_output = true) {
    return MariadbRecord({.address = server.address(), .client = "host:42", .capture_output = capture_output},
                         log);
  }
};

void run_and_record(MariadbRecord& record, Batch& batch, std::int64_t exit_code = 0) {
  record.begin(batch, batch.unanswered());
  answer(batch, exit_code);
  record.finished(batch);
}

}  // namespace

TEST_CASE("mariadb record: a batch") {
  Fixture fixture;
  MariadbServer& server = fixture.server;
  server.insert_tasks("a", 130);
  MariadbRecord record = fixture.open();
  Batch batch = make_batch("a", 128);

  SUBCASE("its start is on every row before it runs, its end before it is answered") {
    const auto begun = record.begin(batch, batch.unanswered());
    CHECK(begun.to_run.size() == 128);
    CHECK(begun.elsewhere.empty());
    CHECK(server.value("SELECT COUNT(*) FROM MCP.Tasks WHERE startTime IS NOT NULL AND endTime IS NULL AND "
                       "client = 'host:42'") == "128");
    CHECK(server.value("SELECT COUNT(DISTINCT startTime) FROM MCP.Tasks") == "1");
    answer(batch, 3);
    record.finished(batch);
    CHECK(server.column("exitCode", "a-127") == "3");
    CHECK(server.column("endTime", "a-127") == "2024-08-04 21:44:55.661575");
    CHECK(server.column("stdOut", "a-127") == "output of a-127");
    CHECK(server.column("stdError", "a-127") == "error of a-127");
    CHECK(server.value("SELECT COUNT(*) FROM MCP.Tasks WHERE exitCode = 3") == "128");
  }
  SUBCASE("what the controller wrote stays, and rows of others too") {
    run_and_record(record, batch);
    CHECK(server.column("fileName", "a-0") == "a file");
    CHECK(server.column("jobuuid", "a-0") == "job");
    CHECK(server.column("startTime", "a-129") == "NULL");
    CHECK(server.column("exitCode", "a-128") == "NULL");
  }
  SUBCASE("a row that is missing is no error, and is not made") {
    Batch unknown = make_batch("unknown", 3);
    unknown.tasks.push_back(batch.tasks[5]);
    CHECK(record.begin(unknown, unknown.unanswered()).to_run.size() == 4);
    answer(unknown);
    record.finished(unknown);
    CHECK(record.state().healthy);
    CHECK(server.value("SELECT COUNT(*) FROM MCP.Tasks") == "130");
    CHECK(server.column("exitCode", "a-5") == "0");
  }
  SUBCASE("an exit code that controllers would take for success is recorded as it is sent") {
    run_and_record(record, batch, -1);
    CHECK(server.column("exitCode", "a-0") == "255");
  }
  SUBCASE("a batch of one") {
    Batch one = make_batch("a", 1);
    run_and_record(record, one, 7);
    CHECK(server.column("exitCode", "a-0") == "7");
    CHECK(server.value("SELECT COUNT(*) FROM MCP.Tasks WHERE exitCode IS NOT NULL") == "1");
  }
  SUBCASE("tasks that a stop cuts short have not begun, unless another worker has begun them since") {
    record.begin(batch, batch.unanswered());
    server.run("UPDATE MCP.Tasks SET client = 'other:1' WHERE taskUUID = 'a-1'");
    record.interrupted(batch, batch.unanswered());
    CHECK(server.column("startTime", "a-0") == "NULL");
    CHECK(server.column("startTime", "a-1") != "NULL");
  }
  SUBCASE("many threads share transactions") {
    server.insert_tasks("x", 800);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        Batch part = make_batch("x", 100);
        for (std::size_t task = 0; task < 100; ++task)
          part.tasks[task].id = "x-" + std::to_string(i * 100 + task);
        part.handle += std::to_string(i);
        run_and_record(record, part);
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(server.value("SELECT COUNT(*) FROM MCP.Tasks WHERE exitCode = 0") == "800");
  }
}

TEST_CASE("mariadb record: what is not captured is not written") {
  Fixture fixture;
  fixture.server.insert_tasks("a", 2);
  MariadbRecord record = fixture.open(false);
  Batch batch = make_batch("a", 2);
  record.begin(batch, batch.unanswered());
  answer(batch);
  batch.tasks[1].result->exit_code = 1;
  record.finished(batch);
  CHECK(fixture.server.column("stdOut", "a-0") == "");
  CHECK(fixture.server.column("stdError", "a-0") == "");
  CHECK(fixture.server.column("exitCode", "a-0") == "0");
  CHECK(fixture.server.column("stdOut", "a-1") == "");
  CHECK(fixture.server.column("stdError", "a-1") == "error of a-1");

  Batch again = make_batch("a", 2);
  CHECK(record.begin(again, again.unanswered()).to_run.empty());
  CHECK(again.tasks[0].result->error.find("capture_client_script_output") != std::string::npos);
}

TEST_CASE("mariadb record: tasks that come again") {
  Fixture fixture;
  MariadbServer& server = fixture.server;
  server.insert_tasks("a", 4);
  MariadbRecord record = fixture.open();
  Batch batch = make_batch("a", 4);

  SUBCASE("what has ended on another host is answered, the rest is to be run") {
    {
      MariadbRecord other({.address = server.address(), .client = "other:1"}, fixture.log);
      Batch part = make_batch("a", 2);
      run_and_record(other, part, 9);
    }
    const auto begun = record.begin(batch, batch.unanswered());
    REQUIRE(begun.to_run.size() == 2);
    CHECK(begun.to_run[0]->id == "a-2");
    REQUIRE(batch.tasks[1].result);
    CHECK(batch.tasks[1].result->exit_code == 9);
    CHECK(batch.tasks[1].result->output == "output of a-1");
    CHECK(batch.tasks[1].result->error == "error of a-1");
    CHECK(batch.tasks[1].result->finished == parse_rfc3339("2024-08-04T21:44:55.661575+00:00"));
    CHECK(server.column("client", "a-1") == "other:1");
    CHECK(server.column("client", "a-2") == "host:42");
  }
  SUBCASE("an end that a Python worker wrote counts, whatever its code") {
    server.run(
        "UPDATE MCP.Tasks SET exitCode = -1, endTime = NOW(6), stdError = 'bad' WHERE taskUUID = 'a-0'");
    CHECK(record.begin(batch, batch.unanswered()).to_run.size() == 3);
    CHECK(batch.tasks[0].result->exit_code == -1);
  }
  SUBCASE("a row that the controller closed by itself is no answer") {
    server.run(
        "UPDATE MCP.Tasks SET exitCode = -1, stdError = 'MCP shut down while processing.' WHERE exitCode IS "
        "NULL");
    CHECK(record.begin(batch, batch.unanswered()).to_run.size() == 4);
    answer(batch);
    record.finished(batch);
    CHECK(server.column("exitCode", "a-3") == "0");
    CHECK(server.column("stdError", "a-3") == "error of a-3");
  }
  SUBCASE("a start is not an end") {
    record.begin(batch, batch.unanswered());
    MariadbRecord other({.address = server.address(), .client = "other:1"}, fixture.log);
    Batch again = make_batch("a", 4);
    CHECK(other.begin(again, again.unanswered()).to_run.size() == 4);
  }
}

TEST_CASE("mariadb record: texts that a column cannot hold") {
  const std::string bytes = "caf\xE9 \xF0\x9F\x93\x9C it's \"q\\\" \xC3\xA9";
  std::string nul = "a";
  nul += '\0';
  nul += "b";
  const auto recorded = [&](const std::string& character_set) {
    Fixture fixture(character_set);
    fixture.server.insert_tasks("a", 2);
    MariadbRecord record = fixture.open();
    Batch batch = make_batch("a", 2);
    record.begin(batch, batch.unanswered());
    answer(batch);
    batch.tasks[0].result->output = bytes;
    batch.tasks[0].result->error = nul;
    record.finished(batch);
    CHECK(record.state().healthy);
    CHECK(fixture.server.column("stdError", "a-0") == nul);
    CHECK(fixture.server.column("stdOut", "a-1") == "output of a-1");
    return fixture.server.column("stdOut", "a-0");
  };

  SUBCASE("bytes that are no UTF-8 are replaced") {
    CHECK(recorded("utf8mb4") == "caf\uFFFD \U0001F4DC it's \"q\\\" \u00E9");
  }
  SUBCASE("utf8mb3 holds no character of four bytes") {
    CHECK(recorded("utf8mb3") == "caf\uFFFD \uFFFD it's \"q\\\" \u00E9");
  }
  SUBCASE("a character set with few characters holds what it has") {
    CHECK(recorded("latin1") == "caf? ? it's \"q\\\" \u00E9");
  }
  SUBCASE("a BLOB holds every byte") { CHECK(recorded("binary") == bytes); }
}

TEST_CASE("mariadb record: texts beyond max_allowed_packet") {
  Fixture fixture;
  MariadbServer& server = fixture.server;
  server.run("SET GLOBAL max_allowed_packet = 65536");
  server.insert_tasks("a", 40);
  MariadbRecord record = fixture.open();
  Batch batch = make_batch("a", 40);
  record.begin(batch, batch.unanswered());
  answer(batch, 1);

  SUBCASE("many that fit one by one are all whole") {
    for (Task& task : batch.tasks) task.result->output = std::string(10'000, 'x');
    record.finished(batch);
    CHECK(record.state().entries_lost == 0);
    CHECK(server.value("SELECT COUNT(*) FROM MCP.Tasks WHERE LENGTH(stdOut) = 10000") == "40");
  }
  SUBCASE("one is cut between characters, and a line says what is missing and why") {
    std::string text;
    while (text.size() < 100'000) text += "\u00E9";
    batch.tasks[7].result->output = "begin " + text + " end";
    batch.tasks[8].result->output = std::string(70'000, '\'');  // each quote takes two bytes on its way
    batch.tasks[8].result->error = std::string(70'000, '\n');
    record.finished(batch);
    CHECK(record.state().entries_lost == 0);
    CHECK(record.state().healthy);
    const std::string cut = server.column("stdOut", "a-7");
    CHECK(cut.size() > 60'000);
    CHECK(cut.starts_with("begin "));
    CHECK(cut.ends_with(" end"));
    CHECK(cut.find("bytes are missing here: max_allowed_packet of the database is 65536 bytes]\n") !=
          cut.npos);
    CHECK(cut.find("\uFFFD") == cut.npos);
    CHECK(server.column("stdError", "a-7") == "error of a-7");
    CHECK(server.column("stdOut", "a-8").find("bytes are missing here") != std::string::npos);
    CHECK(server.column("stdError", "a-8").find("bytes are missing here") != std::string::npos);
    CHECK(server.value("SELECT COUNT(*) FROM MCP.Tasks WHERE exitCode = 1") == "40");
  }
}

TEST_CASE("mariadb record: a client whose name is long keeps its process id") {
  Fixture fixture;
  fixture.server.insert_tasks("a", 1);
  MariadbRecord record({.address = fixture.server.address(), .client = std::string(80, 'h') + ":1234"},
                       fixture.log);
  Batch batch = make_batch("a", 1);
  record.begin(batch, batch.unanswered());
  CHECK(fixture.server.column("client", "a-0") == std::string(45, 'h') + ":1234");
}
