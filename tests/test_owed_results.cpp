#include "worker/owed_results.hpp"

#include <thread>

#include <doctest/doctest.h>

#include "tests/support/mariadb_server.hpp"
#include "tests/support/record_fixture.hpp"
#include "worker/paired_record.hpp"
#include "worker/record_maintenance.hpp"

using namespace quire;
using namespace quire::test;
using namespace std::chrono_literals;

namespace {

// A worker's records, all of them.
struct Site {
  Site(const RecordFixture& fixture, MariadbServer& server, const std::string& client)
      : own({.path = fixture.path, .client = client}, fixture.log),
        database({.address = server.address(), .client = client, .patience = 0ms, .has_refuge = true},
                 fixture.log),
        owed(own, database, fixture.log) {}

  void run(const std::string& name, std::size_t tasks, std::int64_t exit_code) {
    Batch batch = make_batch(name, tasks);
    both.begin(batch, batch.unanswered());
    answer(batch, exit_code);
    both.finished(batch);
  }

  SqliteRecord own;
  MariadbRecord database;
  OwedResults owed;
  PairedRecord both{own, database, owed};
};

void wait_until(const std::function<bool()>& holds, const char* what) {
  const auto end = std::chrono::steady_clock::now() + 60s;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) FAIL("in vain for " << what);
    std::this_thread::sleep_for(10ms);
  }
}

}  // namespace

TEST_CASE("owed results") {
  RecordFixture fixture;
  MariadbServer& server = MariadbServer::fresh();
  server.insert_tasks("a", 3);
  server.insert_tasks("b", 3);
  const auto noted = [&] { return fixture.number("SELECT count(*) FROM Owed"); };
  const auto paid = [&] { return noted() == 0; };

  SUBCASE("nothing is noted while the database takes everything") {
    Site site(fixture, server, "host:1");
    site.run("a", 3, 0);
    CHECK(noted() == 0);
    CHECK(site.owed.state().results == 0);
    CHECK(site.own.state().transactions == 2);
    CHECK(site.database.state().transactions == 2);
  }
  SUBCASE("what the database does not take is noted before the answer, and written when it is back") {
    Site site(fixture, server, "host:1");
    server.kill();
    site.run("a", 3, 5);  // found out with this one
    CHECK(noted() == 3);
    site.run("b", 3, 6);  // known
    CHECK(noted() == 6);
    wait_until([&] { return site.owed.state().results == 6; }, "the worker to know");
    CHECK(site.owed.state().since == parse_rfc3339("2024-08-04T21:44:55.661575+00:00"));
    server.start();
    wait_until(paid, "the results to be written");
    CHECK(server.column("exitCode", "a-2") == "5");
    CHECK(server.column("exitCode", "b-2") == "6");
    CHECK(server.column("stdOut", "b-2") == "output of b-2");
    wait_until([&] { return site.owed.state().results == 0; }, "the worker to know");
  }
  SUBCASE("the next worker writes what the one before it was owing, as that one would have") {
    {
      Site site(fixture, server, "host:1");
      server.kill();
      site.run("a", 3, 5);
    }
    CHECK(noted() == 3);
    server.start();
    Site next(fixture, server, "host:2");
    wait_until(paid, "the results to be written");
    CHECK(server.column("exitCode", "a-2") == "5");
    CHECK(server.column("client", "a-2") == "host:1");
    CHECK(server.column("endTime", "a-2") == "2024-08-04 21:44:55.661575");
    CHECK(server.column("startTime", "a-2") == fixture.column("startTime", "a-2"));
    CHECK(server.column("stdError", "a-2") == "error of a-2");
  }
  SUBCASE("an end that the controller made up gives way, one that came later does not") {
    {
      Site site(fixture, server, "host:1");
      server.kill();
      site.run("a", 3, 5);
    }
    server.start();
    server.run(
        "UPDATE MCP.Tasks SET exitCode = -1, endTime = NOW(6), stdError = 'MCP shut down while processing.' "
        "WHERE taskUUID = 'a-0';"
        "UPDATE MCP.Tasks SET exitCode = 7, endTime = '2024-08-04 22:00:00', client = 'other:1' WHERE "
        "taskUUID = "
        "'a-1'");
    Site next(fixture, server, "host:2");
    wait_until(paid, "the results to be written");
    CHECK(server.column("exitCode", "a-0") == "5");
    CHECK(server.column("stdError", "a-0") == "error of a-0");
    CHECK(server.column("exitCode", "a-1") == "7");
    CHECK(server.column("client", "a-1") == "other:1");
    CHECK(server.column("exitCode", "a-2") == "5");
  }
  SUBCASE("a task that is delivered again while its result is owed is answered, and is owed once") {
    Site site(fixture, server, "host:1");
    server.kill();
    site.run("a", 3, 5);
    Batch again = make_batch("a", 3);
    again.handle = "H:host:again";
    CHECK(site.both.begin(again, again.unanswered()).to_run.empty());
    site.both.finished(again);
    CHECK(noted() == 3);
    server.start();
    wait_until(paid, "the results to be written");
    CHECK(server.column("exitCode", "a-2") == "5");
  }
  SUBCASE("a result that came to our record alone is owed when it is delivered again") {
    Batch batch = make_batch("a", 3);
    {
      SqliteRecord killed({.path = fixture.path, .client = "host:0"}, fixture.log);
      run_and_record(killed, batch, 4);
    }
    server.kill();
    Site site(fixture, server, "host:1");
    Batch again = make_batch("a", 3);
    again.handle = "H:host:again";
    CHECK(site.both.begin(again, again.unanswered()).to_run.empty());
    site.both.finished(again);
    CHECK(noted() == 3);
  }
  SUBCASE("what was answered without being run has an end and no start") {
    {
      Site site(fixture, server, "host:1");
      server.kill();
      Batch batch = make_batch("a", 3);
      answer(batch, 1);
      site.both.finished(batch);
    }
    server.start();
    Site next(fixture, server, "host:2");
    wait_until(paid, "the results to be written");
    CHECK(server.column("exitCode", "a-0") == "1");
    CHECK(server.column("startTime", "a-0") == "NULL");
  }
  SUBCASE("two workers of one record pay side by side") {
    {
      Site site(fixture, server, "host:1");
      server.kill();
      for (const char* name : {"a", "b"}) site.run(name, 3, 5);
    }
    server.start();
    Site one(fixture, server, "host:2");
    Site other(fixture, server, "host:3");
    wait_until(paid, "the results to be written");
    CHECK(server.value("SELECT COUNT(*) FROM MCP.Tasks WHERE exitCode = 5 AND client = 'host:1'") == "6");
  }
  SUBCASE("what is owed is not deleted, unless that is asked for") {
    Site site(fixture, server, "host:1");
    site.run("b", 3, 0);
    server.kill();
    site.run("a", 3, 5);
    SQLite::Database database = fixture.connect();
    CHECK(delete_ended_tasks(database, {}) == 3);
    CHECK(noted() == 3);
    CHECK(delete_ended_tasks(database, {.owed = true}) == 3);
    CHECK(noted() == 0);
  }
  SUBCASE("a record that is not there, or is of an earlier version, owes nothing") {
    CHECK(owed_in(fixture.path).results == 0);
    fixture.open();
    fixture.connect().exec("DROP TABLE Owed");
    CHECK(owed_in(fixture.path).results == 0);
  }
  SUBCASE("how much it is, as a clause") {
    CHECK(Owed{1, *parse_rfc3339("2024-08-04T21:44:55.6+00:00")}.describe() ==
          "1 result is owed to the controller's database since 2024-08-04 21:44:55");
    CHECK(Owed{2, {}}.describe().starts_with("2 results are owed"));
  }
}
