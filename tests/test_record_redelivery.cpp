// What the record tells of tasks that are delivered again.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "tests/support/record_fixture.hpp"

using namespace quire;
using namespace std::chrono_literals;
using namespace quire::test;

namespace {

// The same batch, delivered once more.
Batch again(const char* name, std::size_t tasks, int delivery = 2) {
  Batch batch = make_batch(name, tasks);
  batch.handle += "-" + std::to_string(delivery);
  return batch;
}

// Another worker begins the batch and dies.
void begin_and_die(const RecordFixture& fixture, const Batch& delivered) {
  const pid_t child = ::fork();
  if (child == 0) {
    Batch batch = delivered;
    SqliteRecord record({.path = fixture.path, .client = "other:43"}, spdlog::default_logger());
    record.begin(batch, batch.unanswered());
    ::raise(SIGKILL);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
}

}  // namespace

TEST_CASE("record: delivered again") {
  RecordFixture fixture;

  SUBCASE("a task whose end is on record is answered from it and not run") {
    Batch first = make_batch("a", 2);
    {
      SqliteRecord record = fixture.open();
      run_and_record(record, first, 7);
    }
    SqliteRecord record = fixture.open();
    Batch second = again("a", 3);
    const TaskRecord::Begun begun = record.begin(second, second.unanswered());
    CHECK(begun.elsewhere.empty());
    REQUIRE(begun.to_run.size() == 1);
    CHECK(begun.to_run[0]->id == "a-2");
    REQUIRE(second.tasks[1].result);
    const TaskResult& result = *second.tasks[1].result;
    CHECK(result.on_record);
    CHECK(result.exit_code == 7);
    CHECK(result.output == "output of a-1");
    CHECK(result.error == "error of a-1");
    CHECK(result.finished == first.tasks[1].result->finished);
    // Its row is left alone; the delivery has one of its own.
    begun.to_run[0]->result.emplace();
    record.finished(second);
    CHECK(fixture.column("attempts", "a-1") == "1");
    CHECK(fixture.value("SELECT handle FROM Tasks JOIN Batches USING (batch) WHERE taskUUID = 'a-1'") ==
          "H:host:a");
    CHECK(fixture.number(
              "SELECT COUNT(*) FROM Batches WHERE uniqueId = 'unique-a' AND endTime IS NOT NULL") == 2);
  }

  SUBCASE("bytes that are no text come back as they were") {
    SqliteRecord record = fixture.open();
    Batch first = make_batch("a", 1);
    record.begin(first, first.unanswered());
    answer(first);
    first.tasks[0].result->output = std::string("nul\0 latin caf\xe9", 15);
    record.finished(first);
    Batch second = again("a", 1);
    record.begin(second, second.unanswered());
    CHECK(second.tasks[0].result->output == first.tasks[0].result->output);
  }

  SUBCASE("an answer without its output says why") {
    SqliteRecord record = fixture.open(false);
    Batch first = make_batch("a", 1);
    run_and_record(record, first, 0);
    Batch second = again("a", 1);
    record.begin(second, second.unanswered());
    CHECK(second.tasks[0].result->error.find("output was not recorded") != std::string::npos);
  }

  SUBCASE(
      "one that a dead worker has begun is run again, as often as it may be, and then failed with its "
      "history") {
    fixture.open();
    Batch batch = make_batch("a", 1);
    begin_and_die(fixture, batch);
    SqliteRecord record({.path = fixture.path, .client = "host:42", .max_attempts = 3}, fixture.log);
    Batch second = again("a", 1, 2);
    CHECK(record.begin(second, second.unanswered()).to_run.size() == 1);
    CHECK(fixture.column("attempts", "a-0") == "2");
    CHECK(fixture.column("client", "a-0") == "host:42");
    // This worker did not come to its end with it either.
    Batch third = again("a", 1, 3);
    CHECK(record.begin(third, third.unanswered()).to_run.size() == 1);
    Batch fourth = again("a", 1, 4);
    const TaskRecord::Begun begun = record.begin(fourth, fourth.unanswered());
    CHECK(begun.to_run.empty());
    REQUIRE(fourth.tasks[0].result);
    CHECK(fourth.tasks[0].result->exit_code == 1);
    const std::string& error = fourth.tasks[0].result->error;
    CAPTURE(error);
    CHECK(error.find("begun 3 times (max_attempts)") != std::string::npos);
    CHECK(error.find("other:43 at 20") != std::string::npos);
    CHECK(error.find("host:42 at 20") != std::string::npos);
    // That is its end: the next delivery gets it at once.
    CHECK(fixture.column("exitCode", "a-0") == "1");
    Batch fifth = again("a", 1, 5);
    record.begin(fifth, fifth.unanswered());
    CHECK(fifth.tasks[0].result->error == error);
  }

  SUBCASE("one that runs in a live worker is left to it") {
    SqliteRecord record = fixture.open();
    Batch second = again("a", 1);
    {
      SqliteRecord other({.path = fixture.path, .client = "other:43"}, fixture.log);
      Batch first = make_batch("a", 1);
      other.begin(first, first.unanswered());
      for (int i = 0; i < 3; ++i) {
        const TaskRecord::Begun begun = record.begin(second, second.unanswered());
        CHECK(begun.to_run.empty());
        REQUIRE(begun.elsewhere.size() == 1);
        CHECK(begun.elsewhere[0]->id == "a-0");
      }
      CHECK(fixture.column("client", "a-0") == "other:43");
      CHECK(fixture.number("SELECT COUNT(*) FROM Batches") == 2);
      answer(first, 5);
      other.finished(first);
    }
    CHECK(record.begin(second, second.unanswered()).elsewhere.empty());
    REQUIRE(second.tasks[0].result);
    CHECK(second.tasks[0].result->exit_code == 5);
  }

  SUBCASE("a host that outlives its worker keeps its tasks from being run a second time") {
    SqliteRecord record = fixture.open();
    int held = -1;
    {
      SqliteRecord other({.path = fixture.path, .client = "other:43"}, fixture.log);
      Batch first = make_batch("a", 1);
      other.begin(first, first.unanswered());
      held = ::dup(other.presence_descriptor());  // as a host has it
    }
    Batch second = again("a", 1);
    CHECK(record.begin(second, second.unanswered()).elsewhere.size() == 1);
    ::close(held);
    CHECK(record.begin(second, second.unanswered()).to_run.size() == 1);
  }

  SUBCASE("one that a stop has cut short was not attempted") {
    SqliteRecord record = fixture.open();
    for (int delivery = 1; delivery < 5; ++delivery) {
      Batch batch = again("a", 2, delivery);
      CHECK(record.begin(batch, batch.unanswered()).to_run.size() == (delivery == 1 ? 2 : 1));
      // The first task came to its end, the second did not.
      if (delivery == 1) batch.tasks[0].result.emplace();
      std::vector<Task*> open{&batch.tasks[1]};
      record.interrupted(batch, open);
      record.finished(batch);
      CHECK(fixture.column("attempts", "a-1") == "0");
      CHECK(fixture.column("startTime", "a-1") == "NULL");
    }
    CHECK(fixture.column("exitCode", "a-0") == "0");
    CHECK(fixture.number("SELECT COUNT(*) FROM Batches WHERE delivery = 'interrupted' AND endTime IS NULL") ==
          4);
  }

  SUBCASE("a file that took the place of another does not make its workers immortal") {
    SqliteRecord old = fixture.open();
    Batch early = make_batch("early", 1);
    run_and_record(old, early);
    for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(fixture.path + end);
    // The new file counts its workers from one; the old worker still holds the lock of its number.
    begin_and_die(fixture, make_batch("a", 1));
    SqliteRecord record({.path = fixture.path, .client = "third:44"}, fixture.log);
    Batch second = again("a", 1);
    CHECK(record.begin(second, second.unanswered()).to_run.size() == 1);
    run_and_record(old, early);
    CHECK(fixture.number("SELECT COUNT(DISTINCT worker) FROM Batches") == 3);
  }
}

TEST_CASE("record: delivery") {
  RecordFixture fixture;
  {
    SqliteRecord record = fixture.open();
    for (const char* name : {"a", "b", "c"}) {
      Batch batch = make_batch(name, 1);
      run_and_record(record, batch);
    }
    record.delivered("H:host:a", "unique-a", true);
    record.delivered("H:host:b", "unique-b", false);
    record.delivered("H:host:never", "seen", true);
    // It is written without anybody waiting for it.
    while (fixture.number("SELECT COUNT(*) FROM Batches WHERE delivery IS NOT NULL") < 2)
      std::this_thread::yield();
    record.delivered("H:host:c", "unique-c", true);
  }
  CHECK(fixture.value("SELECT group_concat(delivery) FROM (SELECT delivery FROM Batches ORDER BY batch)") ==
        "delivered,undelivered,delivered");
}
