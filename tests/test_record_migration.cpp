// Records of older versions become current ones, and what they tell counts.
#include <filesystem>

#include "tests/support/record_fixture.hpp"

using namespace quire;
using namespace quire::test;

namespace {

constexpr const char* version_1 = R"(
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
)";

constexpr const char* version_2 = R"(
CREATE TABLE Workers (worker INTEGER PRIMARY KEY AUTOINCREMENT, client TEXT NOT NULL, startTime TEXT NOT NULL);
ALTER TABLE Batches ADD COLUMN worker INTEGER REFERENCES Workers;
ALTER TABLE Batches ADD COLUMN delivery TEXT;
CREATE TABLE Attempts (
  sequence INTEGER NOT NULL REFERENCES Tasks, attempt INTEGER NOT NULL, batch INTEGER REFERENCES Batches,
  PRIMARY KEY (sequence, attempt)) WITHOUT ROWID;
PRAGMA user_version = 2;
)";

// Batch 2 is the second delivery of what batch 1 did not end. By number: 0 and 1 have ended, the latter at
// its second attempt; 2 was begun twice, 3 once; 4 was cut short.
constexpr const char* rows = R"(
INSERT INTO Batches (batch, uniqueId, handle, exec, client, startTime, endTime, tasks, failed) VALUES
  (1, 'u', 'H:old:1', 'f', 'host:41', '2024-08-04 21:44:55.000001', NULL, 5, NULL),
  (2, 'u', 'H:old:2', 'f', 'host:42', '2024-08-04 21:50:00.000002', NULL, 5, NULL);
INSERT INTO Tasks (taskUUID, createdTime, exec, startTime, endTime, exitCode, client, batch, attempts, wantsOutput,
                   arguments, stdOut, stdError) VALUES
  ('old-0', '2024-08-04 21:34:35.241750', 'f', '2024-08-04 21:44:55.000001', '2024-08-04 21:44:56.500000', 7, 'host:41',
   1, 1, 1, 'a "b"', 'old output', x'ff00'),
  ('old-1', NULL, 'f', '2024-08-04 21:50:00.000002', '2024-08-04 21:51:00.000000', 0, 'host:42', 2, 2, 0, '', NULL, NULL),
  ('old-2', '2024-08-04 21:34:35.000000', 'f', '2024-08-04 21:50:00.000002', NULL, NULL, 'host:42', 2, 2, 1, 'c', NULL,
   NULL),
  ('old-3', NULL, 'f', '2024-08-04 21:50:00.000002', NULL, NULL, 'host:42', 2, 1, 0, '', NULL, NULL),
  ('old-4', NULL, 'f', NULL, NULL, NULL, 'host:42', 2, 0, 1, '', NULL, NULL);
)";

constexpr const char* rows_of_version_2 = R"(
INSERT INTO Workers (client, startTime) VALUES ('host:41', '2024-08-04 21:00:00.000000');
UPDATE Batches SET worker = 1;
INSERT INTO Attempts VALUES (2, 1, 1), (3, 1, 1);
)";

}  // namespace

TEST_CASE("record: older versions") {
  RecordFixture fixture;
  int version = 0;
  SUBCASE("1") { version = 1; }
  SUBCASE("2") { version = 2; }
  CAPTURE(version);
  std::filesystem::create_directories(std::filesystem::path(fixture.path).parent_path());
  fixture.connect().exec(version_1);
  if (version == 2) fixture.connect().exec(version_2);
  fixture.connect().exec(rows);
  if (version == 2) fixture.connect().exec(rows_of_version_2);

  SqliteRecord record({.path = fixture.path, .client = "host:43", .max_attempts = 2}, fixture.log);
  // All that they held can still be read …
  CHECK(fixture.number("PRAGMA user_version") == 6);
  CHECK(fixture.value("PRAGMA integrity_check") == "ok");
  CHECK(fixture.number("SELECT count(*) FROM Tasks") == 5);
  CHECK(fixture.column(
            "createdTime || '|' || startTime || '|' || endTime || '|' || exitCode || '|' || client || "
            "'|' || batch || '|' || attempts || '|' || arguments || '|' || stdOut || '|' || exec",
            "old-0") ==
        "2024-08-04 21:34:35.241750|2024-08-04 21:44:55.000001|2024-08-04 21:44:56.500000|7|host:41|1|1|a "
        "\"b\"|old output|f");
  CHECK(fixture.column("typeof(stdError) || hex(stdError)", "old-0") == "blobFF00");
  CHECK(fixture.column("attempts || ifnull(createdTime, '-') || wantsOutput", "old-1") == "2-0");
  CHECK(fixture.column("createdTime || startTime || attempts || arguments || wantsOutput", "old-2") ==
        "2024-08-04 21:34:35.0000002024-08-04 21:50:00.0000022c1");
  CHECK(fixture.column("attempts || ifnull(exitCode, '-') || wantsOutput", "old-3") == "1-0");
  CHECK(fixture.column("attempts || ifnull(startTime, '-')", "old-4") == "0-");

  // … and a task that has ended is not run again, one that was begun as often as it may be neither.
  Batch batch = make_batch("old", 6);
  const TaskRecord::Begun begun = record.begin(batch, batch.unanswered());
  REQUIRE(begun.to_run.size() == 3);
  CHECK(begun.to_run[0]->id == "old-3");
  CHECK(begun.to_run[1]->id == "old-4");
  CHECK(begun.to_run[2]->id == "old-5");
  CHECK(batch.tasks[0].result->exit_code == 7);
  CHECK(batch.tasks[0].result->error == std::string("\xff\0", 2));
  CHECK(batch.tasks[1].result->exit_code == 0);
  REQUIRE(batch.tasks[2].result);
  CHECK(batch.tasks[2].result->error.find("begun 2 times (max_attempts)") != std::string::npos);
  CHECK(batch.tasks[2].result->error.find("host:42 at 2024-08-04 21:50:00.000002") != std::string::npos);
  if (version == 2) CHECK(batch.tasks[2].result->error.find("host:41 at 2024") != std::string::npos);
  CHECK(fixture.column("attempts", "old-3") == "2");
  CHECK(fixture.column("attempts", "old-4") == "1");
  for (Task* task : begun.to_run) task->result.emplace();
  record.finished(batch);
  CHECK(fixture.number("SELECT count(*) FROM Tasks WHERE exitCode IS NOT NULL") == 6);
  CHECK(fixture.number(
            "SELECT count(*) FROM Batches WHERE workload IS NOT NULL OR interrupted IS NOT NULL") == 0);
}
