#include "worker/sqlite_record.hpp"

#include <sys/stat.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <map>
#include <thread>

#include <SQLiteCpp/SQLiteCpp.h>
#include <doctest/doctest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include "tests/support/temporary_folder.hpp"

using namespace quire;
using namespace std::chrono_literals;
using test::TemporaryFolder;

namespace {

Batch make_batch(const std::string& name, std::size_t tasks) {
  Batch batch;
  batch.function = "checksum_v0.0";
  batch.handle = "H:host:" + name;
  batch.unique = "unique-" + name;
  for (std::size_t i = 0; i < tasks; ++i) {
    Task task;
    task.id = name + "-" + std::to_string(i);
    task.created_date = "2024-08-04T21:34:35.241750+00:00";
    task.arguments = "\"file " + std::to_string(i) + "\"";
    batch.tasks.push_back(task);
  }
  return batch;
}

void answer(Batch& batch, std::int64_t exit_code = 0) {
  for (Task& task : batch.tasks) {
    TaskResult result;
    result.exit_code = exit_code;
    result.output = "output of " + task.id;
    result.error = "error of " + task.id;
    result.process_output = "process output";
    result.process_error = "process error";
    result.finished = parse_rfc3339("2024-08-04T21:44:55.661575+00:00");
    task.result = result;
  }
}

void record(SqliteRecord& record, Batch& batch, std::int64_t exit_code = 0) {
  record.started(batch, batch.unanswered());
  answer(batch, exit_code);
  record.finished(batch);
}

// The record, its log, and another process's view of the file.
struct Fixture {
  TemporaryFolder folder;
  std::string path = (folder / "deep" / "er" / "record.sqlite").string();
  std::ostringstream text;
  std::shared_ptr<spdlog::logger> log =
      std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text));

  SqliteRecord open(bool capture_output = true, std::chrono::milliseconds patience = 20s) {
    return SqliteRecord({path, "host:42", capture_output, patience}, log);
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

}  // namespace

TEST_CASE("record: what is written") {
  Fixture fixture;

  SUBCASE("a task has its row while it runs and its end afterwards") {
    SqliteRecord record = fixture.open();
    Batch batch = make_batch("a", 2);
    record.started(batch, batch.unanswered());
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
    ::record(record, good, 0);
    ::record(record, bad, 1);
    CHECK(fixture.column("stdOut", "good-0") == "NULL");
    CHECK(fixture.column("stdError", "good-0") == "NULL");
    CHECK(fixture.column("processOut", "good-0") == "NULL");
    CHECK(fixture.column("stdOut", "bad-0") == "NULL");
    CHECK(fixture.column("stdError", "bad-0") == "error of bad-0");
    CHECK(fixture.column("processError", "bad-0") == "process error");
  }

  SUBCASE("a task delivered again keeps one row, counts its attempts and forgets its earlier end") {
    SqliteRecord record = fixture.open();
    Batch first = make_batch("a", 1);
    ::record(record, first, 7);
    Batch again = make_batch("a", 1);
    again.handle = "H:host:again";
    record.started(again, again.unanswered());
    CHECK(fixture.column("attempts", "a-0") == "2");
    CHECK(fixture.column("exitCode", "a-0") == "NULL");
    CHECK(fixture.column("stdError", "a-0") == "NULL");
    CHECK(fixture.value("SELECT handle FROM Tasks JOIN Batches USING (batch)") == "H:host:again");
    answer(again, 0);
    record.finished(again);
    CHECK(fixture.column("exitCode", "a-0") == "0");
    CHECK(fixture.number("SELECT COUNT(*) FROM Tasks") == 1);
    CHECK(fixture.number("SELECT COUNT(*) FROM Batches WHERE uniqueId = 'unique-a'") == 2);
  }

  SUBCASE("a task that was answered without being run has an end and no start") {
    SqliteRecord record = fixture.open();
    Batch batch = make_batch("a", 2);
    batch.tasks[0].fail("The arguments cannot be split.");
    ::record(record, batch);
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
      record.started(batch, batch.unanswered());
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
    ::record(record, batch, -9);
    CHECK(fixture.column("exitCode", "a-0") == "137");
  }

  SUBCASE("bytes come back as they were: text as TEXT, all else as BLOB") {
    SqliteRecord record = fixture.open();
    Batch batch = make_batch("a", 4);
    const std::string texts[] = {"caf\xc3\xa9 \xf0\x9f\x93\x9c", std::string("nul\0nul", 7), "latin caf\xe9",
                                 ""};
    record.started(batch, batch.unanswered());
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
    ::record(record, batch);
    CHECK(fixture.number("SELECT COUNT(*) FROM Tasks WHERE createdTime IS NULL AND exitCode = 0") == 2);
  }
}

TEST_CASE("record: many at once") {
  Fixture fixture;
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
          ::record(record, batch);
        }
      });
    }
    for (std::thread& writer : writers) writer.join();
    const RecordState state = record.state();
    CHECK(state.entries_written == 2 * threads * batches);
    CHECK(state.entries_lost == 0);
    CHECK(state.transactions <= state.entries_written);
    while (seen < threads * batches * 50) std::this_thread::yield();  // the reader sees all of them
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
  Fixture fixture;
  const auto work = [&](const std::string& name) {
    SqliteRecord record = fixture.open();
    for (int b = 0; b < 30; ++b) {
      Batch batch = make_batch(name + std::to_string(b), 20);
      ::record(record, batch);
    }
    CHECK(record.state().entries_lost == 0);
  };
  std::thread other(work, "x");
  work("y");
  other.join();
  CHECK(fixture.number("SELECT COUNT(*) FROM Tasks WHERE exitCode = 0") == 1200);
}

TEST_CASE("record: opening") {
  Fixture fixture;

  SUBCASE("folders and file are made for the owner, and the group may read") {
    fixture.open();
    const auto mode = [](const std::filesystem::path& path) {
      struct stat status {};
      REQUIRE(::stat(path.c_str(), &status) == 0);
      return status.st_mode & 0777;
    };
    const mode_t mask = ::umask(0);
    ::umask(mask);
    CHECK(mode(std::filesystem::path(fixture.path).parent_path()) == (0750 & ~mask));
    CHECK(mode(fixture.path) == (0640 & ~mask));
  }

  SUBCASE("a record is opened again with what it holds") {
    for (const char* name : {"first", "second"}) {
      SqliteRecord record = fixture.open();
      Batch batch = make_batch(name, 1);
      ::record(record, batch);
    }
    CHECK(fixture.number("SELECT COUNT(*) FROM Tasks") == 2);
    CHECK(fixture.number("PRAGMA user_version") == 1);
  }

  SUBCASE("a later version is refused with both versions") {
    fixture.open();
    fixture.connect().exec("PRAGMA user_version = 99");
    const std::string error = fixture.open_error();
    CAPTURE(error);
    CHECK(error.starts_with("The record " + fixture.path + " cannot be opened: "));
    CHECK(error.find("version 99") != std::string::npos);
    CHECK(error.find("versions up to 1;") != std::string::npos);
  }

  SUBCASE("another program's file is refused and left as it is") {
    std::filesystem::create_directories(std::filesystem::path(fixture.path).parent_path());
    fixture.connect().exec("CREATE TABLE theirs (a)");
    CHECK(fixture.open_error().find("another program") != std::string::npos);
    CHECK(fixture.value("PRAGMA journal_mode") == "delete");
  }

  SUBCASE("what is no database is refused") {
    std::filesystem::create_directories(std::filesystem::path(fixture.path).parent_path());
    fixture.folder.write("deep/er/record.sqlite", std::string(5000, 'x'));
    CHECK(fixture.open_error().find("file is not a database") != std::string::npos);
  }

  SUBCASE("a folder that cannot be made is named") {
    fixture.folder.write("deep", "a file");
    CHECK(fixture.open_error().find("deep/er") != std::string::npos);
  }
}

TEST_CASE("record: trouble costs no reply") {
  Fixture fixture;
  const auto count = [&](const std::string& text) {
    const std::string log = fixture.text.str();
    int found = 0;
    for (auto at = log.find(text); at != std::string::npos; at = log.find(text, at + 1)) ++found;
    return found;
  };

  SUBCASE("a file locked for a moment is waited for") {
    SqliteRecord record = fixture.open();
    SQLite::Database other = fixture.connect();
    other.exec("BEGIN IMMEDIATE");
    Batch batch = make_batch("a", 1);
    std::thread writer([&] { ::record(record, batch); });
    other.exec("INSERT INTO Batches (uniqueId, handle, exec, client, tasks) VALUES ('', '', '', '', 0)");
    other.exec("COMMIT");
    writer.join();
    CHECK(fixture.column("exitCode", "a-0") == "0");
    CHECK(fixture.text.str().empty());
  }

  SUBCASE("a file locked for long costs the record of a batch, is told once, and recovers") {
    SqliteRecord record = fixture.open(true, 100ms);
    {
      SQLite::Database other = fixture.connect();
      other.exec("BEGIN IMMEDIATE");
      for (const char* name : {"a", "b", "c"}) {
        Batch batch = make_batch(name, 1);
        ::record(record, batch);
      }
      const RecordState state = record.state();
      CHECK(!state.healthy);
      CHECK(state.entries_lost == 6);
      CHECK(state.problem.find("locked") != std::string::npos);
    }
    Batch batch = make_batch("d", 1);
    ::record(record, batch);
    CHECK(record.state().healthy);
    CHECK(record.state().problem.empty());
    CHECK(fixture.number("SELECT COUNT(*) FROM Tasks") == 1);
    CHECK(count("cannot be written") == 1);
    CHECK(count("is written again; until now 6 ") == 1);
  }

  SUBCASE("an end whose start was lost is recorded all the same") {
    SqliteRecord record = fixture.open(true, 100ms);
    Batch batch = make_batch("a", 2);
    {
      SQLite::Database other = fixture.connect();
      other.exec("BEGIN IMMEDIATE");
      record.started(batch, batch.unanswered());
    }
    answer(batch);
    record.finished(batch);
    CHECK(fixture.number("SELECT COUNT(*) FROM Tasks WHERE exitCode = 0 AND startTime IS NULL") == 2);
  }

  SUBCASE("a deleted file is replaced by a new one") {
    SqliteRecord record = fixture.open();
    Batch first = make_batch("first", 1);
    record.started(first, first.unanswered());
    for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(fixture.path + end);
    answer(first);
    record.finished(first);
    Batch second = make_batch("second", 1);
    ::record(record, second);
    CHECK(fixture.number("SELECT COUNT(*) FROM Tasks WHERE exitCode = 0") == 2);
    CHECK(count("deleted or replaced") == 1);
    CHECK(record.state().entries_lost == 0);
  }

  SUBCASE("a table that is gone costs the record and not more") {
    SqliteRecord record = fixture.open();
    fixture.connect().exec("ALTER TABLE Tasks RENAME TO Hidden");
    Batch lost = make_batch("lost", 1);
    ::record(record, lost);
    CHECK(record.state().problem.find("no such table") != std::string::npos);
    fixture.connect().exec("ALTER TABLE Hidden RENAME TO Tasks");
    Batch kept = make_batch("kept", 1);
    ::record(record, kept);
    CHECK(record.state().healthy);
    CHECK(fixture.column("exitCode", "kept-0") == "0");
  }
}

namespace {

// A store that refuses what it is told to refuse.
struct PickyStore : RecordStore {
  std::string name() const override { return "picky store"; }
  void write(std::span<const RecordEntry> entries, std::chrono::milliseconds) override {
    {
      std::unique_lock lock(mutex);
      ++writes;
      changed.notify_all();
      changed.wait(lock, [&] { return open; });
    }
    for (const RecordEntry& entry : entries) {
      if (entry.batch->function == "bad") throw std::runtime_error("too bad");
    }
    written += entries.size();
    sizes.push_back(entries.size());
  }

  std::mutex mutex;
  std::condition_variable changed;
  bool open = true;
  int writes = 0;
  std::size_t written = 0;
  std::vector<std::size_t> sizes;
};

}  // namespace

TEST_CASE("record writer") {
  std::ostringstream text;
  const auto log =
      std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text));
  PickyStore store;

  // The first entry holds the store while five more arrive, one of them bad where that is asked for.
  const auto write_six = [&](const std::string& third) {
    RecordWriter writer(store, log, 1s);
    std::array<Batch, 6> batches;
    batches[3].function = third;
    std::vector<std::thread> threads;
    store.open = false;
    threads.emplace_back([&] { writer.record({RecordEntry::Kind::finished, &batches[0], nullptr, now()}); });
    {
      std::unique_lock lock(store.mutex);
      store.changed.wait(lock, [&] { return store.writes == 1; });
    }
    for (std::size_t i = 1; i < 6; ++i) {
      threads.emplace_back([&, i] {
        writer.record({RecordEntry::Kind::finished, &batches[i], nullptr, now()});
      });
    }
    while (writer.waiting() < 5) std::this_thread::yield();
    {
      const std::lock_guard lock(store.mutex);
      store.open = true;
      store.changed.notify_all();
    }
    for (std::thread& thread : threads) thread.join();
    return writer.state();
  };

  SUBCASE("what arrived meanwhile shares one transaction") {
    const RecordState state = write_six("good");
    CHECK(store.sizes == std::vector<std::size_t>{1, 5});
    CHECK(state.transactions == 2);
    CHECK(state.entries_written == 6);
  }

  SUBCASE("an entry that cannot be written takes no other with it") {
    const RecordState state = write_six("bad");
    CHECK(store.sizes == std::vector<std::size_t>{1, 1, 1, 1, 1});
    CHECK(state.entries_written == 5);
    CHECK(state.entries_lost == 1);
  }
}
