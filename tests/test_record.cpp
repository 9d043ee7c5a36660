#include <atomic>
#include <filesystem>
#include <map>
#include <thread>

#include "tests/support/record_fixture.hpp"

using namespace quire;
using namespace std::chrono_literals;
using namespace quire::test;

TEST_CASE("record: what is written") {
  RecordFixture fixture;

  SUBCASE("a task has its row while it runs and its end afterwards") {
    SqliteRecord record = fixture.open();
    Batch batch = make_batch("a", 2);
    record.begin(batch, batch.unanswered());
    CHECK(fixture.number("SELECT COUNT(*) FROM Tasks WHERE startTime IS NOT NULL AND exitCode IS NULL") == 2);
    CHECK(fixture.value("SELECT endTime FROM Batches") == "NULL");
    answer(batch, 3);
    record.finished(batch);

    const std::map<std::string, std::string> expected{
        {"taskUUID", "a-1"},
        {"jobuuid", "NULL"},
        {"fileUUID", "NULL"},
        {"fileName", "NULL"},
        {"exec", "checksum_v0.0"},
        {"arguments", "\"file 1\""},
        {"client", "host:42"},
        {"createdTime", "2024-08-04 21:34:35.241750"},
        {"exitCode", "3"},
        {"endTime", "2024-08-04 21:44:55.661575"},
        {"stdOut", "output of a-1"},
        {"stdError", "error of a-1"},
        {"processOut", "process output"},
        {"processError", "process error"},
        {"attempts", "1"},
        {"wantsOutput", "1"},
    };
    for (const auto& [name, text] : expected) {
      CAPTURE(name);
      CHECK(fixture.column(name, "a-1") == text);
    }
    CHECK(fixture.value("SELECT handle || ' ' || uniqueId || ' ' || exec || ' ' || client || ' ' || tasks || "
                        "' ' || failed "
                        "FROM Batches WHERE endTime IS NOT NULL") ==
          "H:host:a unique-a checksum_v0.0 host:42 2 2");
    CHECK(fixture.number("SELECT COUNT(*) FROM Tasks JOIN Batches USING (batch)") == 2);
    CHECK(record.state().healthy);
  }

  SUBCASE("without capturing, only the errors of failed tasks are kept") {
    SqliteRecord record = fixture.open(false);
    Batch good = make_batch("good", 1);
    Batch bad = make_batch("bad", 1);
    run_and_record(record, good, 0);
    run_and_record(record, bad, 1);
    CHECK(fixture.column("stdOut", "good-0") == "NULL");
    CHECK(fixture.column("stdError", "good-0") == "NULL");
    CHECK(fixture.column("processOut", "good-0") == "NULL");
    CHECK(fixture.column("stdOut", "bad-0") == "NULL");
    CHECK(fixture.column("stdError", "bad-0") == "error of bad-0");
    CHECK(fixture.column("processError", "bad-0") == "process error");
  }

  SUBCASE("a task that was answered without being run has an end and no start") {
    SqliteRecord record = fixture.open();
    Batch batch = make_batch("a", 2);
    batch.tasks[0].fail("The arguments cannot be split.");
    run_and_record(record, batch);
    Batch other = make_batch("other", 1);
    answer(other);
    record.finished(other);
    CHECK(fixture.column("startTime", "other-0") == "NULL");
    CHECK(fixture.column("attempts", "other-0") == "0");
    CHECK(fixture.column("exitCode", "other-0") == "0");
    CHECK(fixture.number("SELECT COUNT(*) FROM Tasks WHERE startTime IS NULL") == 2);
    CHECK(fixture.column("attempts", "a-1") == "1");
  }

  SUBCASE("a second record that ends a task keeps its start and its attempts") {
    Batch batch = make_batch("a", 1);
    {
      SqliteRecord record = fixture.open();
      record.begin(batch, batch.unanswered());
    }
    SqliteRecord record = fixture.open();
    answer(batch);
    record.finished(batch);
    CHECK(fixture.column("attempts", "a-0") == "1");
    CHECK(fixture.column("startTime", "a-0") != "NULL");
    CHECK(fixture.column("exitCode", "a-0") == "0");
  }

  SUBCASE("exit codes are recorded as they are answered: never negative") {
    SqliteRecord record = fixture.open();
    Batch batch = make_batch("a", 1);
    run_and_record(record, batch, -9);
    CHECK(fixture.column("exitCode", "a-0") == "137");
  }

  SUBCASE("bytes come back as they were: text as TEXT, all else as BLOB") {
    SqliteRecord record = fixture.open();
    Batch batch = make_batch("a", 4);
    const std::string texts[] = {"caf\xc3\xa9 \xf0\x9f\x93\x9c", std::string("nul\0nul", 7), "latin caf\xe9",
                                 ""};
    record.begin(batch, batch.unanswered());
    answer(batch, 1);
    for (std::size_t i = 0; i < 4; ++i) batch.tasks[i].result->output = texts[i];
    record.finished(batch);
    const std::string types[] = {"text", "blob", "blob", "text"};
    for (std::size_t i = 0; i < 4; ++i) {
      const std::string id = "a-" + std::to_string(i);
      CHECK(fixture.column("typeof(stdOut)", id) == types[i]);
      CHECK(fixture.column("stdOut", id) == texts[i]);
    }
  }

  SUBCASE("a created date that is no time is no obstacle") {
    SqliteRecord record = fixture.open();
    Batch batch = make_batch("a", 2);
    batch.tasks[0].created_date = "yesterday";
    batch.tasks[1].created_date = "";
    run_and_record(record, batch);
    CHECK(fixture.number("SELECT COUNT(*) FROM Tasks WHERE createdTime IS NULL AND exitCode = 0") == 2);
  }
}

TEST_CASE("record: the newest tasks are read from the end and not sorted out of all") {
  RecordFixture fixture;
  { const SqliteRecord record = fixture.open(); }
  SQLite::Database database = fixture.connect();
  SQLite::Statement plan(database,
                         "EXPLAIN QUERY PLAN SELECT * FROM Tasks WHERE sequence > 0 ORDER BY sequence DESC LIMIT 50");
  std::string text;
  while (plan.executeStep()) text += plan.getColumn(3).getString() + '\n';
  CAPTURE(text);
  CHECK(text.find("MERGE (UNION ALL)") != std::string::npos);
  CHECK(text.find("SEARCH EndedTasks USING INTEGER PRIMARY KEY") != std::string::npos);
  CHECK(text.find("SCAN Tasks") == std::string::npos);
}

TEST_CASE("record: many at once") {
  RecordFixture fixture;
  constexpr int threads = 8;
  constexpr int batches = 20;
  std::atomic<bool> reading = true;
  std::atomic<int> seen = 0;
  {
    SqliteRecord record = fixture.open();
    std::thread reader([&] {
      SQLite::Database database(fixture.path, SQLite::OPEN_READONLY);
      while (reading)
        seen = database.execAndGet("SELECT COUNT(*) FROM Tasks WHERE exitCode IS NOT NULL").getInt();
    });
    std::vector<std::thread> writers;
    for (int t = 0; t < threads; ++t) {
      writers.emplace_back([&, t] {
        for (int b = 0; b < batches; ++b) {
          Batch batch = make_batch(std::to_string(t) + "." + std::to_string(b), 50);
          run_and_record(record, batch);
        }
      });
    }
    for (std::thread& writer : writers) writer.join();
    const RecordState state = record.state();
    CHECK(state.entries_written == 2 * threads * batches);
    CHECK(state.entries_lost == 0);
    CHECK(state.transactions <= state.entries_written);
    const auto give_up = std::chrono::steady_clock::now() + 60s;
    while (seen < threads * batches * 50 && std::chrono::steady_clock::now() < give_up)
      std::this_thread::yield();
    CHECK(seen == threads * batches * 50);
    reading = false;
    reader.join();
  }
  SUBCASE("every task has its end, under its own id") {
    CHECK(fixture.number(
              "SELECT COUNT(*) FROM Tasks WHERE exitCode = 0 AND stdOut = 'output of ' || taskUUID") ==
          threads * batches * 50);
    CHECK(fixture.number("SELECT COUNT(*) FROM Batches WHERE endTime IS NOT NULL") == threads * batches);
  }
  SUBCASE("closing leaves one file") {
    CHECK(!std::filesystem::exists(fixture.path + "-wal"));
    CHECK(fixture.text.str().empty());
  }
}

TEST_CASE("record: two workers share a file") {
  RecordFixture fixture;
  const auto work = [&](const std::string& name) {
    SqliteRecord record = fixture.open();
    for (int b = 0; b < 30; ++b) {
      Batch batch = make_batch(name + std::to_string(b), 20);
      run_and_record(record, batch);
    }
    CHECK(record.state().entries_lost == 0);
  };
  std::thread other(work, "x");
  work("y");
  other.join();
  CHECK(fixture.number("SELECT COUNT(*) FROM Tasks WHERE exitCode = 0") == 1200);
}
