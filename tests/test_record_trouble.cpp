#include <sys/stat.h>

#include <filesystem>
#include <thread>

#include "tests/support/record_fixture.hpp"

using namespace quire;
using namespace std::chrono_literals;
using namespace quire::test;

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

  SUBCASE("a file locked for long costs the record of a batch, is told once, and recovers") {
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
      CHECK(state.entries_lost == 6);
      CHECK(state.problem.find("locked") != std::string::npos);
    }
    Batch batch = make_batch("d", 1);
    run_and_record(record, batch);
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
      record.begin(batch, batch.unanswered());
    }
    answer(batch);
    record.finished(batch);
    CHECK(fixture.number("SELECT COUNT(*) FROM Tasks WHERE exitCode = 0 AND startTime IS NULL") == 2);
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
    fixture.connect().exec("ALTER TABLE Tasks RENAME TO Hidden");
    Batch lost = make_batch("lost", 1);
    run_and_record(record, lost);
    CHECK(record.state().problem.find("no such table") != std::string::npos);
    fixture.connect().exec("ALTER TABLE Hidden RENAME TO Tasks");
    Batch kept = make_batch("kept", 1);
    run_and_record(record, kept);
    CHECK(record.state().healthy);
    CHECK(fixture.column("exitCode", "kept-0") == "0");
  }
}
