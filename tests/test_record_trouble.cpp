#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <thread>

#include "tests/support/record_fixture.hpp"
#include "worker/sqlite_store.hpp"

using namespace quire;
using namespace std::chrono_literals;
using namespace quire::test;

namespace {

// As quire 0.1 before its second version wrote it: a task that has ended, one that was begun.
void make_record_of_version_1(RecordFixture& fixture) {
  std::filesystem::create_directories(std::filesystem::path(fixture.path).parent_path());
  SQLite::Database old = fixture.connect();
  old.exec(R"(
CREATE TABLE Batches (
  batch INTEGER PRIMARY KEY, uniqueId TEXT NOT NULL, handle TEXT NOT NULL, exec TEXT NOT NULL, client TEXT NOT NULL,
  startTime TEXT, endTime TEXT, tasks INTEGER NOT NULL, failed INTEGER);
CREATE TABLE Tasks (
  sequence INTEGER PRIMARY KEY, taskUUID TEXT NOT NULL, jobuuid TEXT, createdTime TEXT, fileUUID TEXT, fileName TEXT,
  exec TEXT NOT NULL, startTime TEXT, endTime TEXT, exitCode INTEGER, client TEXT NOT NULL,
  batch INTEGER REFERENCES Batches, attempts INTEGER NOT NULL, wantsOutput INTEGER NOT NULL, arguments TEXT NOT NULL,
  stdOut TEXT, stdError TEXT, processOut TEXT, processError TEXT);
CREATE UNIQUE INDEX TasksById ON Tasks (taskUUID);
PRAGMA user_version = 1;
PRAGMA application_id = 0x51756972;
INSERT INTO Batches VALUES (1, 'u', 'H:old:1', 'checksum_v0.0', 'host:41', '2024-08-04 21:44:55.000000', NULL, 3, NULL);
INSERT INTO Tasks (taskUUID, exec, startTime, endTime, exitCode, client, batch, attempts, wantsOutput, arguments, stdOut)
VALUES ('old-0', 'checksum_v0.0', '2024-08-04 21:44:55.000000', '2024-08-04 21:44:56.000000', 7, 'host:41', 1, 1, 1, '',
        'old output'),
       ('old-1', 'checksum_v0.0', '2024-08-04 21:44:55.000000', NULL, NULL, 'host:41', 1, 1, 1, '', NULL);
)");
}

}  // namespace

TEST_CASE("record: opening") {
  RecordFixture fixture;

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
      run_and_record(record, batch);
    }
    CHECK(fixture.number("SELECT COUNT(*) FROM Tasks") == 2);
    CHECK(fixture.number("PRAGMA user_version") == 6);
  }

  SUBCASE("a later version is refused with both versions") {
    fixture.open();
    fixture.connect().exec("PRAGMA user_version = 99");
    const std::string error = fixture.open_error();
    CAPTURE(error);
    CHECK(error.starts_with("The record " + fixture.path + " cannot be opened: "));
    CHECK(error.find("version 99") != std::string::npos);
    CHECK(error.find("versions up to 6;") != std::string::npos);
  }

  SUBCASE("another program's file is refused and left as it is") {
    std::filesystem::create_directories(std::filesystem::path(fixture.path).parent_path());
    fixture.connect().exec("CREATE TABLE theirs (a)");
    CHECK(fixture.open_error().find("another program") != std::string::npos);
    CHECK(fixture.value("PRAGMA journal_mode") == "delete");
  }

  SUBCASE("an older record is brought up to date, with what it holds") {
    make_record_of_version_1(fixture);
    SqliteRecord record = fixture.open();
    CHECK(fixture.number("PRAGMA user_version") == 6);
    CHECK(fixture.column("exitCode", "old-0") == "7");
    // What it tells counts: a task that has ended is not run again, one that was begun is.
    Batch batch = make_batch("old", 3);
    const TaskRecord::Begun begun = record.begin(batch, batch.unanswered());
    REQUIRE(batch.tasks[0].result);
    CHECK(batch.tasks[0].result->exit_code == 7);
    CHECK(begun.to_run.size() == 2);
    CHECK(fixture.column("attempts", "old-1") == "2");
  }

  SUBCASE("a folder that cannot be made is named") {
    fixture.folder.write("deep", "a file");
    CHECK(fixture.open_error().find("deep/er") != std::string::npos);
  }
}

TEST_CASE("record: trouble costs no reply") {
  RecordFixture fixture;
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
    std::thread writer([&] { run_and_record(record, batch); });
    other.exec("INSERT INTO Batches (uniqueId, handle, exec, client, tasks) VALUES ('', '', '', '', 0)");
    other.exec("COMMIT");
    writer.join();
    CHECK(fixture.column("exitCode", "a-0") == "0");
    CHECK(fixture.text.str().empty());
  }

  SUBCASE("what happens while a file is locked is kept, told once, and written afterwards") {
    SqliteRecord record = fixture.open(true, 100ms);
    {
      SQLite::Database other = fixture.connect();
      other.exec("BEGIN IMMEDIATE");
      for (const char* name : {"a", "b", "c"}) {
        Batch batch = make_batch(name, 1);
        run_and_record(record, batch);
      }
      const RecordState state = record.state();
      CHECK(!state.healthy);
      CHECK(state.entries_waiting == 6);
      CHECK(state.problem.find("locked") != std::string::npos);
    }
    Batch batch = make_batch("d", 1);
    run_and_record(record, batch);
    CHECK(record.state().healthy);
    CHECK(record.state().problem.empty());
    CHECK(record.state().entries_waiting == 0);
    CHECK(record.state().entries_lost == 0);
    CHECK(fixture.number("SELECT COUNT(*) FROM Tasks WHERE exitCode = 0 AND startTime IS NOT NULL") == 4);
    CHECK(count("cannot be written") == 1);
    CHECK(count("is written again; 6 ") == 1);
  }

  SUBCASE("it is written when that is possible again, although nothing new comes") {
    SqliteRecord record = fixture.open(true, 100ms);
    Batch batch = make_batch("a", 1);
    {
      SQLite::Database other = fixture.connect();
      other.exec("BEGIN IMMEDIATE");
      run_and_record(record, batch);
    }
    while (!record.state().healthy || record.state().entries_waiting > 0) std::this_thread::yield();
    CHECK(fixture.column("exitCode", "a-0") == "0");
  }

  SUBCASE("a task that has ended is answered from memory while its end cannot be written") {
    SqliteRecord record = fixture.open(true, 100ms);
    SQLite::Database other = fixture.connect();
    other.exec("BEGIN IMMEDIATE");
    Batch batch = make_batch("a", 2);
    run_and_record(record, batch, 3);
    Batch again = make_batch("a", 3);
    const TaskRecord::Begun begun = record.begin(again, again.unanswered());
    CHECK(begun.to_run.size() == 1);
    REQUIRE(again.tasks[1].result);
    CHECK(again.tasks[1].result->exit_code == 3);
    CHECK(again.tasks[1].result->output == "output of a-1");
  }

  SUBCASE("what does not fit into memory is lost, oldest first, and counted") {
    SqliteStore store({.path = fixture.path, .client = "host:42"}, fixture.log);
    store.open(1s);
    RecordWriter writer(store, fixture.log, 50ms, "", 4'000);
    {
      SQLite::Database other = fixture.connect();
      other.exec("BEGIN IMMEDIATE");
      for (int i = 0; i < 20; ++i) {
        Batch batch = make_batch(std::to_string(i), 1);
        answer(batch);
        writer.record({.batch = &batch, .time = now()});
      }
    }
    const RecordState state = writer.state();
    CHECK(state.entries_waiting > 0);
    CHECK(state.entries_waiting + state.entries_lost == 20);
    while (writer.state().entries_waiting > 0) std::this_thread::yield();
    CHECK(fixture.number("SELECT COUNT(*) FROM Tasks") == static_cast<int>(state.entries_waiting));
    CHECK(fixture.column("exitCode", "19-0") == "0");
    CHECK(count("is not recorded: more waits") == static_cast<int>(state.entries_lost));
  }

  SUBCASE("a corrupt file is no obstacle to the start, and gives way to a new one") {
    std::filesystem::create_directories(std::filesystem::path(fixture.path).parent_path());
    fixture.folder.write("deep/er/record.sqlite", std::string(5000, 'x'));
    SqliteRecord record = fixture.open();
    CHECK(!record.state().healthy);
    CHECK(record.state().problem.find("file is not a database") != std::string::npos);
    Batch batch = make_batch("a", 1);
    run_and_record(record, batch);
    CHECK(record.state().entries_waiting == 2);
    std::filesystem::rename(fixture.path, fixture.path + ".corrupt");
    while (!record.state().healthy || record.state().entries_waiting > 0) std::this_thread::yield();
    CHECK(fixture.column("exitCode", "a-0") == "0");
  }

  SUBCASE("a file that cannot be written is no obstacle to the start") {
    fixture.open();
    {
      // As a file system that has become read-only: root may write to a file of mode 0444.
      SQLite::Database database = fixture.connect();
      database.exec("PRAGMA journal_mode = DELETE");
    }
    const int file = ::open(fixture.path.c_str(), O_RDONLY | O_CLOEXEC);
    int flags = 0;
    REQUIRE(::ioctl(file, FS_IOC_GETFLAGS, &flags) == 0);
    flags |= FS_IMMUTABLE_FL;
    const bool immutable = ::ioctl(file, FS_IOC_SETFLAGS, &flags) == 0;
    if (!immutable) REQUIRE(::chmod(fixture.path.c_str(), 0444) == 0);  // not root: the mode is enough
    {
      SqliteRecord record = fixture.open();
      CHECK(!record.state().healthy);
      Batch batch = make_batch("a", 1);
      run_and_record(record, batch);
      CHECK(record.state().entries_waiting == 2);
      flags &= ~FS_IMMUTABLE_FL;
      if (immutable) REQUIRE(::ioctl(file, FS_IOC_SETFLAGS, &flags) == 0);
      REQUIRE(::chmod(fixture.path.c_str(), 0640) == 0);
      while (!record.state().healthy || record.state().entries_waiting > 0) std::this_thread::yield();
    }
    ::close(file);
    CHECK(fixture.column("exitCode", "a-0") == "0");
  }

  SUBCASE("a disk that is full costs nothing once there is room again") {
    std::signal(SIGXFSZ, SIG_IGN);
    SqliteRecord record = fixture.open();
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    const rlimit small{200'000, before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    for (int i = 0; i < 20; ++i) {
      Batch batch = make_batch(std::to_string(i), 100);
      run_and_record(record, batch);
    }
    const RecordState full = record.state();
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    CHECK(!full.healthy);
    CHECK(full.entries_waiting > 0);
    while (!record.state().healthy || record.state().entries_waiting > 0) std::this_thread::yield();
    CHECK(record.state().entries_lost == 0);
    CHECK(fixture.number("SELECT COUNT(*) FROM Tasks WHERE exitCode = 0") == 2000);
    CHECK(fixture.value("PRAGMA integrity_check") == "ok");
  }

  SUBCASE("a deleted file is replaced by a new one") {
    SqliteRecord record = fixture.open();
    Batch first = make_batch("first", 1);
    record.begin(first, first.unanswered());
    for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(fixture.path + end);
    answer(first);
    record.finished(first);
    Batch second = make_batch("second", 1);
    run_and_record(record, second);
    CHECK(fixture.number("SELECT COUNT(*) FROM Tasks WHERE exitCode = 0") == 2);
    CHECK(count("deleted or replaced") == 1);
    CHECK(record.state().entries_lost == 0);
  }

  SUBCASE("a table that is gone costs the record and not more") {
    SqliteRecord record = fixture.open();
    fixture.connect().exec("ALTER TABLE EndedTasks RENAME TO Hidden");
    Batch early = make_batch("early", 1);
    run_and_record(record, early);
    CHECK(record.state().problem.find("no such table") != std::string::npos);
    fixture.connect().exec("ALTER TABLE Hidden RENAME TO EndedTasks");
    Batch kept = make_batch("kept", 1);
    run_and_record(record, kept);
    CHECK(record.state().healthy);
    CHECK(fixture.column("exitCode", "kept-0") == "0");
    CHECK(fixture.column("exitCode", "early-0") == "0");
  }
}
