// Readers that ask for one task, and what may be deleted while workers write.
#include <atomic>
#include <optional>
#include <thread>

#include "tests/support/record_fixture.hpp"
#include "worker/record_maintenance.hpp"
#include "worker/record_reader.hpp"

using namespace quire;
using namespace quire::test;

namespace {

Batch again(const std::string& name, std::size_t tasks) {
  Batch batch = make_batch(name, tasks);
  batch.handle += "-again";
  return batch;
}

std::string row(const RecordFixture& fixture, const std::string& column, std::int64_t sequence) {
  return fixture.value("SELECT " + column + " FROM Tasks WHERE sequence = " + std::to_string(sequence));
}

}  // namespace

TEST_CASE("record reader") {
  RecordFixture fixture;
  SqliteRecord record = fixture.open();
  Batch ended = make_batch("ended", 3);
  run_and_record(record, ended);
  Batch running = make_batch("running", 2);
  running.function = "other";
  record.begin(running, running.unanswered());
  SQLite::Database reader(fixture.path, SQLite::OPEN_READONLY);

  SUBCASE("finds a task by its id, whether it has ended or runs") {
    for (const char* id : {"ended-0", "ended-2", "running-1"}) {
      const auto found = find_task(reader, id);
      REQUIRE(found);
      CHECK(row(fixture, "taskUUID", *found) == id);
    }
    CHECK_FALSE(find_task(reader, "ended-3"));
  }

  SUBCASE("finds the last delivery of one that is run again") {
    SqliteRecord late = fixture.open();
    Batch second = again("running", 2);
    late.begin(second, second.unanswered());
    CHECK(find_task(reader, "running-1").has_value());
    answer(second, 3);
    late.finished(second);
    CHECK(row(fixture, "exitCode", find_task(reader, "running-1").value()) == "3");
  }

  SUBCASE("the newest come first, and those that run before them") {
    answer(running, 1);
    record.finished(running);
    Batch last = make_batch("last", 1);
    record.begin(last, last.unanswered());
    CHECK(fixture.value(
              "SELECT group_concat(taskUUID) FROM (SELECT taskUUID FROM Tasks ORDER BY sequence DESC)") ==
          "last-0,running-1,running-0,ended-2,ended-1,ended-0");
    const std::vector<std::int64_t> newest = newest_tasks_of(reader, "checksum_v0.0", 2);
    REQUIRE(newest.size() == 2);
    CHECK(row(fixture, "taskUUID", newest[0]) == "ended-2");
    CHECK(row(fixture, "taskUUID", newest[1]) == "ended-1");
    CHECK(newest_tasks_of(reader, "other", 100).size() == 2);
    CHECK(newest_tasks_of(reader, "another", 100).empty());
  }
}

TEST_CASE("record maintenance") {
  RecordFixture fixture;

  SUBCASE("what has ended goes, what runs, was cut short or was lost stays") {
    SqliteRecord record = fixture.open();
    Batch ended = make_batch("ended", 3);
    run_and_record(record, ended);
    Batch running = make_batch("running", 2);
    record.begin(running, running.unanswered());
    Batch cut = make_batch("cut", 2);
    record.begin(cut, cut.unanswered());
    cut.tasks[0].result.emplace();
    std::vector<Task*> open{&cut.tasks[1]};
    record.interrupted(cut, open);
    record.finished(cut);
    SQLite::Database database = fixture.connect();
    const int last = fixture.number("SELECT max(sequence) FROM EndedTasks");
    CHECK(delete_ended_tasks(database, {}) == 4);
    CHECK(fixture.number("SELECT count(*) FROM Tasks") == 3);
    CHECK(fixture.number("SELECT count(*) FROM Batches") == 2);

    // The one that runs comes to its end, under a number that nobody has had.
    answer(running);
    record.finished(running);
    CHECK(fixture.number("SELECT min(sequence) FROM EndedTasks") > last);
    Batch cut_again = again("cut", 2);
    CHECK(record.begin(cut_again, cut_again.unanswered()).to_run.size() == 2);
    // What has been deleted is new, for this worker and for others.
    Batch second = again("ended", 3);
    CHECK(record.begin(second, second.unanswered()).to_run.size() == 3);
    CHECK(fixture.column("attempts", "ended-1") == "1");
    CHECK(fixture.value("PRAGMA integrity_check") == "ok");
  }

  SUBCASE("only what is meant goes") {
    SqliteRecord record = fixture.open();
    Batch bad = make_batch("bad", 2);
    run_and_record(record, bad, 1);
    Batch other = make_batch("other", 2);
    other.function = "other";
    record.begin(other, other.unanswered());
    answer(other);
    for (Task& task : other.tasks) task.result->finished = parse_rfc3339("2030-01-01T00:00:00+00:00");
    record.finished(other);
    SQLite::Database database = fixture.connect();
    CHECK(delete_ended_tasks(database, {.function = "another"}) == 0);
    CHECK(delete_ended_tasks(database, {.function = "other", .done = false}) == 0);
    CHECK(delete_ended_tasks(database, {.before = parse_rfc3339("2024-08-04T21:44:55Z")}) == 0);
    CHECK(delete_ended_tasks(database, {.before = parse_rfc3339("2025-01-01T00:00:00Z")}) == 2);
    CHECK(fixture.value("SELECT group_concat(taskUUID) FROM Tasks") == "other-0,other-1");
    CHECK(delete_ended_tasks(database, {.function = "other", .failed = false, .cancelled = false}) == 2);
    CHECK(fixture.number("SELECT count(*) FROM Batches") == 0);
  }

  SUBCASE("a cancelled task is neither done nor failed") {
    SqliteRecord record = fixture.open();
    Batch batch = make_batch("some", 3);
    record.begin(batch, batch.unanswered());
    answer(batch);
    batch.tasks[1].result->exit_code = 1;
    batch.tasks[2].cancel("The task was cancelled.");
    batch.tasks[2].result->finished = batch.tasks[1].result->finished;
    record.finished(batch);
    SQLite::Database database = fixture.connect();
    const auto left = [&] { return fixture.value("SELECT group_concat(taskUUID) FROM Tasks"); };
    CHECK(delete_ended_tasks(database, {.done = false, .cancelled = false}) == 1);
    CHECK(left() == "some-0,some-2");
    CHECK(delete_ended_tasks(database, {.cancelled = false}) == 1);
    CHECK(left() == "some-2");
    CHECK(delete_ended_tasks(database, {.done = false, .failed = false}) == 1);
  }

  SUBCASE("it tells how far it is, and is ended when that is wanted") {
    SqliteRecord record = fixture.open();
    for (int i = 0; i < 5; ++i) {
      Batch batch = make_batch(std::to_string(i), 1000);
      run_and_record(record, batch);
    }
    SQLite::Database database = fixture.connect();
    DeletionProgress last;
    const std::uint64_t some = delete_ended_tasks(database, {}, [&](const DeletionProgress& progress) {
      last = progress;
      return progress.deleted == 0;
    });
    CHECK(some > 0);
    CHECK(some < 5000);
    CHECK(last.deleted == some);
    CHECK(last.total == 5000);
    CHECK(fixture.number("SELECT count(*) FROM Tasks") == 5000 - static_cast<int>(some));
    CHECK(delete_ended_tasks(database, {}) == 5000 - some);
    CHECK(fixture.number("SELECT count(*) FROM Batches") == 0);
  }

  SUBCASE("who holds the file is waited for, as long as that is wanted") {
    SqliteRecord record = fixture.open();
    Batch batch = make_batch("some", 3);
    run_and_record(record, batch);
    SQLite::Database other = fixture.connect();
    std::optional<SQLite::Transaction> held(std::in_place, other, SQLite::TransactionBehavior::IMMEDIATE);
    SQLite::Database database = fixture.connect();
    database.setBusyTimeout(1);
    int asked = 0;
    CHECK(delete_ended_tasks(database, {}, [&](const DeletionProgress&) { return ++asked < 10; }) == 0);
    CHECK(asked == 10);
    held.reset();
    CHECK(delete_ended_tasks(database, {}) == 3);
  }

  SUBCASE("runs whose batches are gone go, too, and the next ones are found") {
    SqliteRecord record = fixture.open();
    const auto fill = [&](const std::string& name) {
      for (int i = 0; i < 66; ++i) {
        Batch batch = make_batch(name + std::to_string(i), 1000);
        run_and_record(record, batch);
      }
    };
    fill("x");
    SQLite::Database database = fixture.connect();
    CHECK(delete_ended_tasks(database, {}) == 66'000);
    CHECK(fixture.number("SELECT (SELECT count(*) FROM TaskIds) + (SELECT count(*) FROM TaskIdRuns)") == 0);
    fill("y");
    CHECK(fixture.number("SELECT count(*) FROM TaskIdRuns") == 1);
    for (const char* name : {"y0", "y65"}) {
      Batch batch = again(name, 1);
      CHECK(record.begin(batch, batch.unanswered()).to_run.empty());
    }
    Batch batch = again("x1", 1);
    CHECK(record.begin(batch, batch.unanswered()).to_run.size() == 1);
  }

  SUBCASE("workers that write meanwhile lose nothing") {
    {
      SqliteRecord record = fixture.open();
      // It finds the file there: a record is opened when it is made.
      std::atomic<bool> writing = true;
      std::thread cleaner([&] {
        SQLite::Database database = fixture.connect();
        while (writing) {
          if (database.tableExists("EndedTasks")) delete_ended_tasks(database, {.function = "gone"});
        }
      });
      for (int i = 0; i < 60; ++i) {
        Batch batch = make_batch(std::to_string(i), 50);
        if (i % 2 == 0) batch.function = "gone";
        run_and_record(record, batch);
      }
      CHECK(record.state().entries_lost + record.state().entries_waiting == 0);
      writing = false;
      cleaner.join();
    }
    CHECK(fixture.number("SELECT count(*) FROM Tasks WHERE exec = 'checksum_v0.0'") == 1'500);
    SQLite::Database database = fixture.connect();
    delete_ended_tasks(database, {.function = "gone"});
    CHECK(fixture.number("SELECT count(*) FROM Tasks") == 1'500);
    CHECK(fixture.number("SELECT count(*) FROM Batches") == 30);
  }
}
