#include "worker/paired_record.hpp"

#include <doctest/doctest.h>

#include "tests/support/mariadb_server.hpp"
#include "tests/support/record_fixture.hpp"
#include "worker/mariadb_record.hpp"
#include "worker/no_record.hpp"

using namespace quire;
using namespace quire::test;
using namespace std::chrono_literals;

namespace {

struct Pair : RecordFixture {
  MariadbServer& server = MariadbServer::fresh();
  SqliteRecord own = open();
  MariadbRecord database{{.address = server.address(), .client = "host:42", .patience = 0ms}, log};
  PairedRecord both{own, database};

  void run(TaskRecord& record, const std::string& name, std::size_t tasks, std::int64_t exit_code) {
    Batch batch = make_batch(name, tasks);
    record.begin(batch, batch.unanswered());
    answer(batch, exit_code);
    record.finished(batch);
  }
};

}  // namespace

TEST_CASE("paired record") {
  Pair pair;
  pair.server.insert_tasks("a", 4);
  Batch batch = make_batch("a", 4);

  SUBCASE("both have the start before the run and the end before the answer") {
    CHECK(pair.both.begin(batch, batch.unanswered()).to_run.size() == 4);
    CHECK(pair.column("startTime IS NOT NULL", "a-3") == "1");
    CHECK(pair.server.column("startTime IS NOT NULL", "a-3") == "1");
    answer(batch, 2);
    batch.tasks[3].result->output = "caf\xE9";
    pair.both.finished(batch);
    CHECK(pair.column("exitCode", "a-3") == "2");
    CHECK(pair.server.column("exitCode", "a-3") == "2");
    CHECK(pair.column("stdOut", "a-3") == "caf\xE9");
    CHECK(pair.server.column("stdOut", "a-3") == "caf\uFFFD");
  }
  SUBCASE("what ended on another host is answered, and on our record afterwards") {
    MariadbRecord other({.address = pair.server.address(), .client = "other:1"}, pair.log);
    pair.run(other, "a", 2, 9);
    const auto begun = pair.both.begin(batch, batch.unanswered());
    REQUIRE(begun.to_run.size() == 2);
    CHECK(begun.to_run[0]->id == "a-2");
    CHECK(batch.tasks[0].result->exit_code == 9);
    CHECK(batch.tasks[0].result->known_before());
    for (Task* task : batch.unanswered()) task->result.emplace();
    pair.both.finished(batch);
    CHECK(pair.column("exitCode", "a-0") == "9");
    CHECK(pair.server.column("client", "a-0") == "other:1");
    CHECK(pair.server.column("endTime", "a-0") == "2024-08-04 21:44:55.661575");
  }
  SUBCASE("without a record of our own the database is asked and written all the same") {
    NoRecord none;
    PairedRecord alone{none, pair.database};
    CHECK(alone.begin(batch, batch.unanswered()).to_run.size() == 4);
    CHECK(pair.server.column("startTime IS NOT NULL", "a-3") == "1");
    answer(batch, 6);
    alone.finished(batch);
    CHECK(pair.server.column("exitCode", "a-3") == "6");
    Batch again = make_batch("a", 4);
    CHECK(alone.begin(again, again.unanswered()).to_run.empty());
    CHECK(again.tasks[3].result->exit_code == 6);
    CHECK(again.tasks[3].result->in_database);
  }
  SUBCASE("what our record alone knows is answered, and in the database afterwards") {
    pair.run(pair.own, "a", 4, 5);
    CHECK(pair.both.begin(batch, batch.unanswered()).to_run.empty());
    CHECK(batch.tasks[3].result->exit_code == 5);
    pair.both.finished(batch);
    CHECK(pair.server.column("exitCode", "a-3") == "5");
    CHECK(pair.server.column("stdOut", "a-3") == "output of a-3");
  }
  SUBCASE("where both know it, the texts are those of our record") {
    pair.run(pair.both, "a", 4, 5);
    pair.server.run("UPDATE MCP.Tasks SET stdOut = 'cut'");
    CHECK(pair.both.begin(batch, batch.unanswered()).to_run.empty());
    CHECK(batch.tasks[3].result->output == "output of a-3");
  }
  SUBCASE("a task that our record gives up is answered with the end that it had on another host") {
    for (int i = 0; i < 2; ++i) {
      Batch died = make_batch("a", 4);
      died.handle += std::to_string(i);
      pair.own.begin(died, died.unanswered());
    }
    MariadbRecord other({.address = pair.server.address(), .client = "other:1"}, pair.log);
    pair.run(other, "a", 4, 0);
    CHECK(pair.both.begin(batch, batch.unanswered()).to_run.empty());
    CHECK(batch.tasks[3].result->exit_code == 0);
    pair.both.finished(batch);
    CHECK(pair.column("exitCode", "a-3") == "0");
  }
  SUBCASE("without the database our record alone decides, and nothing is late") {
    pair.server.kill();
    CHECK(pair.both.begin(batch, batch.unanswered()).to_run.size() == 4);
    answer(batch, 2);
    pair.both.finished(batch);
    CHECK(pair.column("exitCode", "a-3") == "2");
    Batch again = make_batch("a", 4);
    CHECK(pair.both.begin(again, again.unanswered()).to_run.empty());
    CHECK(again.tasks[0].result->output == "output of a-0");
  }
}
