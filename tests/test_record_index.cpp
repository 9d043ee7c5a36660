// Tasks are found again whatever happened meanwhile: by other workers, after a migration, behind false hints.
#include <thread>

#include "tests/support/record_fixture.hpp"
#include "worker/batch_reader.hpp"
#include "worker/id_filter.hpp"
#include "worker/sqlite_store.hpp"

using namespace quire;
using namespace std::chrono_literals;
using namespace quire::test;

namespace {

Batch again(const std::string& name, std::size_t tasks, int delivery = 2) {
  Batch batch = make_batch(name, tasks);
  batch.handle += "-" + std::to_string(delivery);
  return batch;
}

// As many batches of a thousand tasks as are needed for a run to be written.
void fill_a_run(SqliteRecord& record, const std::string& name) {
  for (int i = 0; i < 66; ++i) {
    Batch batch = make_batch(name + std::to_string(i), 1000);
    run_and_record(record, batch);
  }
}

}  // namespace

TEST_CASE("id filter: what was added is never denied, and nearly everything else is") {
  IdFilter filter(1 << 16);
  const auto hash = [](int number) { return static_cast<std::uint64_t>(task_hash(std::to_string(number))); };
  constexpr int added = (1 << 16) / 2;  // 16 bits for each
  for (int i = 0; i < added; ++i) filter.add(hash(i));
  int missed = 0;
  int mistaken = 0;
  for (int i = 0; i < added; ++i) missed += !filter.may_have(hash(i));
  for (int i = added; i < 2 * added; ++i) mistaken += filter.may_have(hash(i));
  CHECK(missed == 0);
  CHECK(mistaken < added / 200);
}

TEST_CASE("record: many tasks, by their ids") {
  RecordFixture fixture;

  SUBCASE("what has been written as a run is found by its writer, by one that was open, and by a new one") {
    SqliteRecord record = fixture.open();
    SqliteRecord other({.path = fixture.path, .client = "other:43"}, fixture.log);
    Batch first = make_batch("first", 3);
    run_and_record(other, first, 5);
    fill_a_run(record, "x");
    CHECK(fixture.number("SELECT count(*) FROM TaskIdRuns") == 1);
    CHECK(fixture.number("SELECT length(entries) / 16 FROM TaskIds LIMIT 1") == 250);
    CHECK(fixture.number("SELECT sum(length(entries)) / 16 FROM TaskIds") > 65'000);
    SqliteRecord late = fixture.open();
    SQLite::Database reader(fixture.path, SQLite::OPEN_READONLY);
    for (SqliteRecord* each : {&record, &other, &late}) {
      for (const char* name : {"first", "x0", "x33", "x65"}) {
        CAPTURE(name);
        Batch batch = again(name, 3);
        CHECK(each->begin(batch, batch.unanswered()).to_run.empty());
        CHECK(batch.tasks[2].result->output == "output of " + std::string(name) + "-2");
        each->finished(batch);
        CHECK(find_batches(reader, task_hash(batch.tasks[0].id)).size() >= 2);
      }
    }
    CHECK(find_batches(reader, task_hash("never seen")).empty());
  }

  SUBCASE("runs of two workers follow each other without a gap") {
    SqliteRecord record = fixture.open();
    SqliteRecord other({.path = fixture.path, .client = "other:43"}, fixture.log);
    fill_a_run(record, "x");
    fill_a_run(other, "y");
    CHECK(fixture.number("SELECT count(*) FROM TaskIdRuns") == 2);
    CHECK(fixture.number("SELECT max(firstBatch) - min(lastBatch) FROM TaskIdRuns") == 1);
    for (const char* name : {"x1", "y1", "x65", "y65"}) {
      Batch batch = again(name, 1);
      CHECK(record.begin(batch, batch.unanswered()).to_run.empty());
    }
  }
}

TEST_CASE("record: other workers are seen at once") {
  RecordFixture fixture;
  SqliteRecord record = fixture.open();
  SqliteRecord other({.path = fixture.path, .client = "other:43"}, fixture.log);

  SUBCASE("what has ended there is answered, what runs there is left, what is new is run") {
    Batch ended = make_batch("a", 2);
    run_and_record(other, ended, 6);
    Batch running = make_batch("b", 1);
    other.begin(running, running.unanswered());

    Batch mixed = make_batch("a", 2);
    mixed.handle = "H:mixed";
    mixed.tasks.push_back(running.tasks[0]);
    mixed.tasks.push_back(make_batch("new", 1).tasks[0]);
    const TaskRecord::Begun begun = record.begin(mixed, mixed.unanswered());
    REQUIRE(mixed.tasks[1].result);
    CHECK(mixed.tasks[1].result->exit_code == 6);
    REQUIRE(begun.elsewhere.size() == 1);
    CHECK(begun.elsewhere[0]->id == "b-0");
    REQUIRE(begun.to_run.size() == 1);
    CHECK(begun.to_run[0]->id == "new-0");
    // Readers see two that run: each where it does.
    CHECK(fixture.column("client", "b-0") == "other:43");
    CHECK(fixture.column("client", "new-0") == "host:42");
    CHECK(fixture.number("SELECT count(*) FROM Tasks") == 4);

    // What has ended here is on record while the other's is waited for.
    begun.to_run[0]->result.emplace();
    record.finished(mixed);
    for (Task& task : mixed.tasks) {
      if (task.result) task.result->on_record = true;
    }
    CHECK(fixture.column("exitCode", "new-0") == "0");
    CHECK(record.begin(mixed, mixed.unanswered()).elsewhere.size() == 1);
    answer(running, 8);
    other.finished(running);
    CHECK(record.begin(mixed, mixed.unanswered()).elsewhere.empty());
    record.finished(mixed);
    CHECK(mixed.tasks[2].result->exit_code == 8);
    CHECK(fixture.number("SELECT count(*) FROM Tasks") == 4);
    CHECK(fixture.number("SELECT count(*) FROM Batches WHERE workload IS NOT NULL") == 0);
  }

  SUBCASE("an id that is answered as failed without being run does not get a second row") {
    Batch ended = make_batch("a", 1);
    run_and_record(other, ended);
    Batch unreadable = again("a", 1);
    unreadable.tasks[0].fail("The arguments cannot be split.");
    record.finished(unreadable);
    CHECK(fixture.column("exitCode", "a-0") == "1");
    CHECK(fixture.column("attempts", "a-0") == "1");
    CHECK(fixture.number("SELECT count(*) FROM Tasks") == 1);
  }
}

TEST_CASE("record: hashes are hints") {
  RecordFixture fixture;
  SqliteRecord record = fixture.open();
  Batch first = make_batch("a", 2);
  run_and_record(record, first);
  Batch running = make_batch("r", 2);
  record.begin(running, running.unanswered());

  SUBCASE("a task with the hash of one that has ended, or that runs, is another one") {
    // The hashes of b-0 and b-1 stand with batches that have tasks of other ids.
    for (const int number : {1, 2}) {
      const std::string ids = bytes_of_hashes({task_hash("b-0"), task_hash("b-1")});
      SQLite::Database database = fixture.connect();
      SQLite::Statement change(database, "UPDATE Batches SET ids = ?1 WHERE batch = ?2");
      change.bind(1, static_cast<const void*>(ids.data()), static_cast<int>(ids.size()));
      change.bind(2, number);
      change.exec();
    }
    SqliteRecord late = fixture.open();
    Batch second = make_batch("b", 2);
    CHECK(late.begin(second, second.unanswered()).to_run.size() == 2);
    answer(second, 4);
    late.finished(second);
    CHECK(fixture.column("exitCode", "b-1") == "4");
    CHECK(fixture.column("attempts", "b-1") == "1");
    CHECK(fixture.column("exitCode", "a-1") == "0");
    CHECK(fixture.column("attempts", "r-1") == "1");
    SQLite::Database reader(fixture.path, SQLite::OPEN_READONLY);
    CHECK(find_batches(reader, task_hash("b-0")) == std::vector<std::int64_t>{3, 2, 1});
  }
}

TEST_CASE("record: a transaction that is undone leaves nothing in memory") {
  RecordFixture fixture;
  SqliteStore store({.path = fixture.path, .client = "host:42"}, fixture.log);
  store.open(1s);
  Batch good = make_batch("a", 2);
  const std::vector<Task*> tasks = good.unanswered();
  TaskRecord::Begun begun;
  const RecordEntry begin{
      .kind = RecordEntry::Kind::begun, .batch = &good, .tasks = &tasks, .begun = &begun, .time = now()};
  Batch other = make_batch("b", 1);
  answer(other);
  const RecordEntry end{.batch = &other, .time = now()};

  // The last entry fails, and the others go with it.
  fixture.connect().exec(
      "CREATE TRIGGER refuse BEFORE INSERT ON Batches WHEN new.uniqueId = 'unique-bad' "
      "BEGIN SELECT raise(ABORT, 'refused'); END");
  Batch refused = make_batch("bad", 1);
  answer(refused);
  const RecordEntry bad{.batch = &refused, .time = now()};
  const RecordEntry group[] = {begin, end, bad};
  CHECK_THROWS(store.write(group, 1s));
  CHECK(fixture.number("SELECT count(*) FROM Batches") == 0);

  store.write({&begin, 1}, 1s);
  CHECK(begun.to_run.size() == 2);
  CHECK(fixture.column("attempts", "a-1") == "1");
  store.write({&end, 1}, 1s);
  answer(good, 3);
  const RecordEntry good_end{.batch = &good, .time = now()};
  store.write({&good_end, 1}, 1s);
  CHECK(fixture.number("SELECT count(*) FROM Tasks WHERE attempts = 1 AND exitCode = 3") == 2);
  CHECK(fixture.number("SELECT count(*) FROM Batches WHERE endTime IS NOT NULL AND workload IS NULL") == 2);
}

TEST_CASE("record: ids of any kind") {
  RecordFixture fixture;
  const std::string ids[] = {"1",
                             "",
                             "\"quoted\" \\ and/slashed",
                             "caf\xc3\xa9 \xf0\x9f\x93\x9c",
                             std::string("nul\0nul", 7),
                             "line\nbreak",
                             std::string(10'000, 'x')};
  const auto batch_of_ids = [&](const std::string& handle) {
    Batch batch;
    batch.function = "f";
    batch.handle = handle;
    for (const std::string& id : ids) batch.tasks.emplace_back().id = id;
    return batch;
  };

  SUBCASE("run, they are answered from the record") {
    {
      SqliteRecord record = fixture.open();
      Batch batch = batch_of_ids("1");
      run_and_record(record, batch, 2);
    }
    SqliteRecord record = fixture.open();
    Batch batch = batch_of_ids("2");
    CHECK(record.begin(batch, batch.unanswered()).to_run.empty());
    for (const Task& task : batch.tasks) CHECK(task.result->output == "output of " + task.id);
  }

  SUBCASE("begun, they count as attempts") {
    {
      Batch batch = batch_of_ids("1");
      SqliteRecord record = fixture.open();
      record.begin(batch, batch.unanswered());
    }
    SqliteRecord record = fixture.open();
    Batch second = batch_of_ids("2");
    CHECK(record.begin(second, second.unanswered()).to_run.size() == std::size(ids));
    Batch third = batch_of_ids("3");
    CHECK(record.begin(third, third.unanswered()).to_run.empty());
    for (const Task& task : third.tasks) CHECK(task.result->error.find("begun 2 times") != std::string::npos);
  }
}

TEST_CASE("record: the workload as it came") {
  RecordFixture fixture;
  SqliteRecord record = fixture.open();
  const std::string text =
      R"({"tasks": {"w-0": {"uuid": "w-0", "createdDate": "2024-08-04T21:34:35+00:00", "arguments": "caf\u00e9", )"
      R"("wants_output": false, "more": [1]}, "w-1": {"arguments": ""}}})";
  const Delivery delivery{.function = "f", .handle = "H:1", .unique = "u", .workload = text, .server = {}};
  Batch batch = decode_batch(delivery, {});

  SUBCASE("it is what readers see of tasks that run") {
    record.begin(batch, batch.unanswered());
    CHECK(fixture.value("SELECT workload FROM Batches") == text);
    CHECK(fixture.column("arguments", "w-0") == "caf\xc3\xa9");
    CHECK(fixture.column("wantsOutput", "w-0") == "0");
    CHECK(fixture.column("wantsOutput", "w-1") == "1");
    CHECK(fixture.column("createdTime", "w-1") == "NULL");
    CHECK(fixture.column("attempts", "w-1") == "1");
    answer(batch);
    record.finished(batch);
    CHECK(fixture.column("arguments", "w-0") == "caf\xc3\xa9");
    CHECK(fixture.column("createdTime", "w-0") == "2024-08-04 21:34:35.000000");
  }

  SUBCASE("one that is no JSON breaks neither readers nor what is delivered again") {
    record.begin(batch, batch.unanswered());
    fixture.connect().exec("UPDATE Batches SET workload = 'not JSON {'");
    CHECK(fixture.number("SELECT count(*) FROM Tasks") == 0);
    SqliteRecord late = fixture.open();
    Batch second = again("w", 2);
    CHECK(late.begin(second, second.unanswered()).to_run.size() == 2);
    CHECK(fixture.number("SELECT count(*) FROM Tasks") == 2);
  }
}

TEST_CASE("record: a result that a later connection writes") {
  RecordFixture fixture;
  Batch batch = make_batch("a", 3);
  {
    SqliteRecord record = fixture.open();
    record.begin(batch, batch.unanswered());
  }
  SqliteRecord record = fixture.open();

  SUBCASE("it ends the batch that was begun") {
    answer(batch, 2);
    record.finished(batch);
    CHECK(fixture.number("SELECT count(*) FROM Batches") == 1);
    CHECK(fixture.number("SELECT failed FROM Batches WHERE endTime IS NOT NULL AND workload IS NULL") == 3);
    CHECK(fixture.number("SELECT count(*) FROM Tasks WHERE attempts = 1 AND startTime IS NOT NULL") == 3);
  }

  SUBCASE("likewise when it was cut short") {
    batch.tasks[0].result.emplace();
    std::vector<Task*> open{&batch.tasks[1], &batch.tasks[2]};
    record.interrupted(batch, open);
    CHECK(fixture.column("startTime", "a-0") != "NULL");
    CHECK(fixture.column("startTime", "a-1") == "NULL");
    record.finished(batch);
    CHECK(fixture.number("SELECT count(*) FROM Batches WHERE delivery = 'interrupted'") == 1);
    CHECK(fixture.column("attempts", "a-2") == "0");
    CHECK(fixture.column("exitCode", "a-0") == "0");
    Batch second = again("a", 3);
    CHECK(record.begin(second, second.unanswered()).to_run.size() == 2);
    CHECK(fixture.column("attempts", "a-2") == "1");
    CHECK(fixture.number("SELECT count(*) FROM Tasks") == 3);
  }
}

TEST_CASE("record: what ended a task") {
  RecordFixture fixture;
  SqliteRecord record = fixture.open();
  Batch batch = make_batch("a", 2);
  record.begin(batch, batch.unanswered());
  CHECK(fixture.column("endedBy", "a-1") == "NULL");
  answer(batch, 1);
  batch.tasks[1].result->ended_by = "time_limit";
  record.finished(batch);
  CHECK(fixture.column("endedBy", "a-0") == "NULL");
  CHECK(fixture.column("endedBy", "a-1") == "time_limit");
  Batch second = again("a", 2);
  record.begin(second, second.unanswered());
  CHECK(second.tasks[1].result->ended_by == "time_limit");
}
