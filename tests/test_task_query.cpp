// Questions to the record: a real one, written by the record itself, with workers that live and that are
// gone.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/support/record_fixture.hpp"
#include "worker/task_query.hpp"

using namespace quire;
using namespace quire::test;

namespace {

std::vector<std::string> ids_of(const TaskPage& page) {
  std::vector<std::string> ids;
  for (const TaskSummary& task : page.tasks) ids.push_back(task.id);
  return ids;
}

// All pages of this size, one after the other.
std::vector<std::string> all_ids(TaskQuery& query, const TaskFilter& filter, std::size_t size) {
  std::vector<std::string> ids;
  std::string older;
  do {
    const TaskPage page = query.list(filter, size, older);
    CHECK(page.tasks.size() <= size);
    for (const std::string& id : ids_of(page)) ids.push_back(id);
    older = page.older;
  } while (!older.empty());
  return ids;
}

std::vector<std::string> sorted(std::vector<std::string> ids) {
  std::ranges::sort(ids);
  return ids;
}

TaskState state_of(TaskQuery& query, const std::string& id) {
  const std::optional<TaskDetails> found = query.find(id);
  REQUIRE(found);
  return found->task.state;
}

}  // namespace

TEST_CASE_FIXTURE(RecordFixture, "task query: what is asked") {
  TaskQuery query(path);
  SUBCASE("a record that is not there is said to be missing") {
    CHECK_THROWS_WITH_AS(query.list({}, 10), doctest::Contains("There is no record"), RecordUnreadable);
    TaskQuery none("none");
    CHECK_THROWS_WITH_AS(none.counts(), doctest::Contains("(record = none)"), RecordUnreadable);
  }
  SUBCASE("a file of another program is refused") {
    SQLite::Database((folder / "other").string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
        .exec("CREATE TABLE theirs (letter)");
    TaskQuery other((folder / "other").string());
    CHECK_THROWS_WITH_AS(other.counts(), doctest::Contains("no record"), RecordUnreadable);
  }
  SUBCASE("tasks are listed, counted and found, by state, function, host, batch and text") {
    SqliteRecord record({.path = path, .client = "one:17"}, log);
    Batch good = make_batch("good", 3);
    run_and_record(record, good);
    Batch bad = make_batch("bad", 2);
    bad.function = "other_v1.0";
    run_and_record(record, bad, 3);
    Batch open = make_batch("open", 2);
    record.begin(open, open.unanswered());

    CHECK(sorted(ids_of(query.list({}, 100))) ==
          std::vector<std::string>{"bad-0", "bad-1", "good-0", "good-1", "good-2", "open-0", "open-1"});
    CHECK(ids_of(query.list({.states = {TaskState::failed}}, 100)) ==
          std::vector<std::string>{"bad-1", "bad-0"});
    CHECK(sorted(ids_of(query.list({.states = {TaskState::running, TaskState::failed}}, 100))) ==
          std::vector<std::string>{"bad-0", "bad-1", "open-0", "open-1"});
    CHECK(query.list({.states = {TaskState::lost}}, 100).tasks.empty());
    CHECK(ids_of(query.list({.function = "Other_v1.0"}, 100)) == std::vector<std::string>{"bad-1", "bad-0"});
    CHECK(query.list({.host = "one"}, 100).tasks.size() == 7);
    CHECK(query.list({.host = "one:17"}, 100).tasks.size() == 7);
    CHECK(query.list({.host = "on"}, 100).tasks.empty());
    CHECK(ids_of(query.list({.text = "GOOD-1"}, 100)) == std::vector<std::string>{"good-1"});
    CHECK(query.list({.text = "file 1"}, 100).tasks.size() == 3);
    CHECK(query.list({.text = "file%1"}, 100).tasks.empty());
    CHECK_FALSE(query.list({.text = "good-1"}, 100).tasks.at(0).output);
    CHECK(query.list({.text = "good-1", .with_texts = true}, 100).tasks.at(0).output == "output of good-1");
    CHECK(query.list({.since = now() + std::chrono::hours(1)}, 100).tasks.empty());
    CHECK(query.list({.until = now() + std::chrono::hours(1)}, 100).tasks.size() == 7);
    const std::int64_t batch = query.find("bad-0")->task.batch;
    CHECK(ids_of(query.list({.batch = batch}, 100)) == std::vector<std::string>{"bad-1", "bad-0"});

    const auto counts = query.counts();
    CHECK(counts.at(TaskState::done) == 3);
    CHECK(counts.at(TaskState::failed) == 2);
    CHECK(counts.at(TaskState::running) == 2);
    CHECK(counts.at(TaskState::cancelled) == 0);
    run_and_record(record, open);
    CHECK(query.counts().at(TaskState::done) == 5);
    CHECK(query.counts().at(TaskState::running) == 0);
    CHECK(query.functions() == std::vector<std::string>{"checksum_v0.0", "other_v1.0"});
  }
  SUBCASE("one task is told with its texts, its batch and who ran it") {
    SqliteRecord record({.path = path, .client = "one:17"}, log);
    Batch batch = make_batch("a", 1);
    run_and_record(record, batch, 5);
    const TaskDetails details = query.find("a-0").value();
    CHECK(details.task.state == TaskState::failed);
    CHECK(details.task.exit_code == 5);
    CHECK(details.task.arguments == "\"file 0\"");
    CHECK(details.task.client == "one:17");
    CHECK(details.task.created == parse_rfc3339("2024-08-04T21:34:35.241750+00:00"));
    CHECK(details.task.output == "output of a-0");
    CHECK(details.task.error == "error of a-0");
    CHECK(details.task.process_output == "process output");
    CHECK(details.handle == "H:host:a");
    CHECK(details.unique == "unique-a");
    REQUIRE(details.attempts.size() == 1);
    CHECK(details.attempts[0].client == "one:17");
    CHECK(details.attempts[0].end == "ended");
    CHECK_FALSE(query.find("a-1"));
  }
  SUBCASE("batches and the last hour") {
    SqliteRecord record({.path = path, .client = "one:17"}, log);
    for (const char* name : {"a", "b", "c"}) {
      Batch batch = make_batch(name, 4);
      run_and_record(record, batch, *name == 'b' ? 1 : 0);
    }
    Batch open = make_batch("open", 2);
    record.begin(open, open.unanswered());
    const BatchPage first = query.batches(3);
    REQUIRE(first.batches.size() == 3);
    CHECK(first.batches[0].state == BatchState::running);
    CHECK(first.batches[0].handle == "H:host:open");
    CHECK(first.batches[2].failed == 4);
    const BatchPage second = query.batches(3, first.older);
    REQUIRE(second.batches.size() == 1);
    CHECK(second.batches[0].handle == "H:host:a");
    CHECK(second.older == 0);
    CHECK(query.batches(3, 0, "nobody's").batches.empty());

    const std::vector<MinuteFigures> hour = query.last_hour(now());
    REQUIRE(hour.size() == 60);
    std::int64_t tasks = 0;
    std::int64_t failed = 0;
    for (const MinuteFigures& minute : hour) {
      tasks += minute.tasks;
      failed += minute.failed;
    }
    CHECK(tasks == 12);
    CHECK(failed == 4);

    Batch some = make_batch("some", 3);
    record.begin(some, some.unanswered());
    answer(some, 1);
    some.tasks[0].cancel("It was cancelled.");
    record.finished(some);
    const BatchSummary last = query.batches(1).batches.at(0);
    CHECK(last.failed == 2);
    CHECK(last.cancelled == 1);
    CHECK(query.last_hour(now()).back().cancelled + query.last_hour(now())[58].cancelled == 1);
    CHECK(query.counts().at(TaskState::cancelled) == 1);
    CHECK(query.counts().at(TaskState::failed) == 6);
    CHECK(query.last_hour(now() + std::chrono::hours(2))[0].tasks == 0);
  }
}

TEST_CASE_FIXTURE(RecordFixture, "task query: who is gone") {
  TaskQuery query(path);
  Batch batch = make_batch("a", 2);
  {
    SqliteRecord record({.path = path, .client = "one:17"}, log);
    record.begin(batch, batch.unanswered());
    CHECK(state_of(query, "a-0") == TaskState::running);
  }
  SUBCASE("what its worker had begun is lost by itself") {
    CHECK(state_of(query, "a-0") == TaskState::lost);
    CHECK(query.counts().at(TaskState::lost) == 2);
    CHECK(query.list({.states = {TaskState::lost}}, 10).tasks.size() == 2);
    CHECK(query.batches(1).batches.at(0).state == BatchState::lost);
    CHECK(query.find("a-0")->attempts.at(0).end == "lost");
  }
  SUBCASE("and is not lost any more when another one runs it") {
    SqliteRecord record({.path = path, .client = "two:18"}, log);
    record.begin(batch, batch.unanswered());
    const TaskDetails details = query.find("a-0").value();
    CHECK(details.task.state == TaskState::running);
    CHECK(details.task.attempts == 2);
    REQUIRE(details.attempts.size() == 2);
    CHECK(details.attempts[0].client == "one:17");
    CHECK(details.attempts[0].end == "lost");
    CHECK(details.attempts[1].client == "two:18");
    CHECK(details.attempts[1].end == "running");
  }
  SUBCASE("what a worker has in hand and has not begun is queued") {
    SqliteRecord record({.path = path, .client = "two:18"}, log);
    record.begin(batch, batch.unanswered());
    WorkerStatus worker;
    worker.subsets.emplace_back().waiting = {"a-1"};
    query.know_in_hand({worker});
    CHECK(state_of(query, "a-0") == TaskState::running);
    CHECK(state_of(query, "a-1") == TaskState::queued);
    CHECK(ids_of(query.list({.states = {TaskState::queued}}, 10)) == std::vector<std::string>{"a-1"});
    CHECK(query.find("a-0")->task.begun);
    CHECK_FALSE(query.find("a-1")->task.begun);
  }
  SUBCASE("one that was cancelled is told to be, while others of its batch go on") {
    SqliteRecord record({.path = path, .client = "two:18"}, log);
    record.begin(batch, batch.unanswered());
    WorkerStatus worker;
    worker.subsets.emplace_back().waiting = {"a-1"};
    worker.reports = {{.id = "a-0", .ended = now(), .exit_code = 130, .counts = true, .cancelled = true},
                      {.id = "a-1", .cancelled = true}};
    query.know_in_hand({worker});
    const TaskSummary ended = query.find("a-0")->task;
    CHECK(ended.state == TaskState::cancelled);
    CHECK(ended.ended_by == "cancelled");
    CHECK(ended.reported);
    const TaskSummary never = query.find("a-1")->task;
    CHECK(never.state == TaskState::cancelled);
    CHECK_FALSE(never.begun);
    CHECK_FALSE(never.reported);
    CHECK(query.list({.states = {TaskState::cancelled}}, 10).tasks.size() == 2);
    CHECK(query.list({.states = {TaskState::running, TaskState::queued}}, 10).tasks.empty());
    CHECK(query.counts()[TaskState::cancelled] == 2);
  }
  SUBCASE("one that has ended in a process that runs still runs, and it is told how it ended") {
    SqliteRecord record({.path = path, .client = "two:18"}, log);
    record.begin(batch, batch.unanswered());
    const Timestamp begun = now();
    const Timestamp ended = begun + std::chrono::seconds(3);
    WorkerStatus worker;
    worker.reports = {{.id = "a-0", .begun = begun, .ended = ended, .exit_code = 7},
                      {.id = "a-1", .begun = ended}};
    query.know_in_hand({worker});
    const TaskSummary first = query.find("a-0")->task;
    CHECK(first.state == TaskState::running);
    CHECK(first.begun == begun);
    REQUIRE(first.reported);
    CHECK(first.reported->ended == ended);
    CHECK(first.reported->exit_code == 7);
    CHECK_FALSE(first.ended);
    const TaskSummary second = query.find("a-1")->task;
    CHECK(second.begun == ended);
    CHECK_FALSE(second.reported);
    // What is on record counts.
    answer(batch);
    record.finished(batch);
    CHECK_FALSE(query.find("a-0")->task.reported);
  }
}

TEST_CASE_FIXTURE(RecordFixture, "task query: pages") {
  TaskQuery query(path);
  SqliteRecord record({.path = path, .client = "one:17"}, log);
  for (int i = 0; i < 12; ++i) {
    Batch batch = make_batch("batch" + std::to_string(i), 100);
    run_and_record(record, batch, i == 0 ? 1 : 0);
  }
  Batch open = make_batch("open", 7);
  record.begin(open, open.unanswered());

  SUBCASE("every task is on one page, whatever their size") {
    const std::vector<std::string> all = sorted(all_ids(query, {}, 5000));
    CHECK(all.size() == 1207);
    for (const std::size_t size : {3, 100, 1206, 1207}) CHECK(sorted(all_ids(query, {}, size)) == all);
    CHECK(std::ranges::adjacent_find(all) == all.end());
  }
  SUBCASE("the few among many are found, page by page") {
    CHECK(all_ids(query, {.states = {TaskState::failed}}, 30).size() == 100);
    CHECK(all_ids(query, {.states = {TaskState::running}}, 3).size() == 7);
  }
  SUBCASE("a page keeps its place while others are added") {
    const TaskPage first = query.list({.states = {TaskState::done}}, 50);
    const std::vector<std::string> second =
        ids_of(query.list({.states = {TaskState::done}}, 50, first.older));
    Batch later = make_batch("later", 100);
    run_and_record(record, later);
    CHECK(ids_of(query.list({.states = {TaskState::done}}, 50, first.older)) == second);
    CHECK(query.list({.states = {TaskState::done}}, 1).tasks.at(0).id == "later-99");
  }
  SUBCASE("the place of a page that nobody handed out is refused") {
    for (const char* const place : {"x", "1x", "-1", " "}) {
      CHECK_THROWS_AS(query.list({}, 1, place), std::invalid_argument);
    }
  }
  SUBCASE("questions go on in the file that takes the place of the record") {
    CHECK(query.counts().at(TaskState::done) == 1100);
    std::filesystem::remove(path);
    std::filesystem::remove(path + "-wal");
    std::filesystem::remove(path + "-shm");
    Batch batch = make_batch("anew", 1);
    run_and_record(record, batch);
    CHECK(query.counts().at(TaskState::done) == 1);
  }
}
