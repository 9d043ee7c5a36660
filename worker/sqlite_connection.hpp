// The record's file while it is open: how it is opened, and the statements that write it.
#pragma once

#include <chrono>
#include <string>

#include <SQLiteCpp/SQLiteCpp.h>

#include "worker/task_index.hpp"

namespace quire {

// The open file and its statements. NOMUTEX: one thread at a time uses it.
struct RecordConnection {
  // Creates the file (mode 0640) and its folder (0750) where they are missing. Throws as prepare_record()
  // does, and std::system_error.
  RecordConnection(const std::string& path, std::chrono::milliseconds wait);

  // Whether the file at the path is still the one that is open here.
  bool is_in_place() const;

  // For how long each statement that follows waits for the file when another process writes it.
  void set_wait(std::chrono::milliseconds wait);

  SQLite::Database database;
  std::chrono::milliseconds longest_wait{};
  std::chrono::steady_clock::time_point waiting_since{};
  TaskIndex index{database};
  SQLite::Statement insert_worker{database, "INSERT INTO Workers (client, startTime) VALUES (?1, ?2)"};
  SQLite::Statement find_worker{database,
                                "SELECT 1 FROM Workers WHERE worker = ?1 AND client = ?2 AND startTime = ?3"};
  SQLite::Statement read_last_sequence{database, R"(
    SELECT max(coalesce((SELECT max(sequence) FROM EndedTasks), 0), (SELECT sequence FROM Deleted)))"};

  SQLite::Statement insert_batch{database, R"(
    INSERT INTO Batches (uniqueId, handle, exec, client, startTime, tasks, worker, ids, workload)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, CAST(?9 AS TEXT)))"};
  SQLite::Statement begin_more{database, R"(
    UPDATE Batches SET startTime = coalesce(startTime, ?1), workload = CAST(?2 AS TEXT), delivery = NULL
    WHERE batch = ?3)"};
  SQLite::Statement finish_batch{database, R"(
    UPDATE Batches SET endTime = ?1, failed = ?2, cancelled = ?7, delivery = ?3, workload = NULL
    WHERE batch = ?4 AND handle = ?5 AND uniqueId = ?6)"};
  SQLite::Statement extend_batch{database, R"(
    UPDATE Batches SET firstTask = min(coalesce(firstTask, ?1), ?1), lastTask = max(coalesce(lastTask, ?2), ?2)
    WHERE batch = ?3)"};
  SQLite::Statement deliver_batch{database, R"(
    UPDATE Batches SET delivery = ?1 WHERE batch = ?2 AND handle = ?3 AND uniqueId = ?4)"};

  SQLite::Statement insert_task{database, R"(
    INSERT INTO EndedTasks (sequence, batch, taskUUID, created, wantsOutput, arguments, attempts, ended, exitCode,
      stdOut, stdError, processOut, processError, endedBy)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14))"};
  SQLite::Statement change_task{database, R"(
    UPDATE EndedTasks SET ended = ?8, exitCode = ?9, stdOut = ?10, stdError = ?11, processOut = ?12,
      processError = ?13, endedBy = ?14
    WHERE sequence = ?1)"};

  SQLite::Statement owe{database, "INSERT OR IGNORE INTO Owed VALUES (?1)"};
  SQLite::Statement pay{database, "DELETE FROM Owed WHERE sequence = ?1"};

  SQLite::Statement read_batch{database, R"(
    SELECT worker, coalesce(firstTask, 0), coalesce(lastTask, -1), CAST(workload AS BLOB), CAST(interrupted AS BLOB),
      handle, uniqueId, endTime IS NULL
    FROM Batches WHERE batch = ?1)"};
  SQLite::Statement list_ended{database,
                               "SELECT sequence, taskUUID FROM EndedTasks WHERE sequence BETWEEN ?1 AND ?2"};
  SQLite::Statement change_batch{
      database,
      "UPDATE Batches SET workload = CAST(?1 AS TEXT), interrupted = CAST(?2 AS TEXT) WHERE batch = ?3"};
  SQLite::Statement read_task{
      database, "SELECT ended, exitCode, stdOut, stdError, endedBy FROM EndedTasks WHERE sequence = ?1"};
  SQLite::Statement count_attempts{database, "SELECT count(*) FROM Attempts WHERE taskUUID = ?1"};
  SQLite::Statement keep_attempt{database, R"(
    INSERT INTO Attempts SELECT ?1, count(*) + 1, ?2 FROM Attempts WHERE taskUUID = ?1)"};
  SQLite::Statement list_attempts{database, R"(
    SELECT client, startTime FROM Attempts JOIN Batches USING (batch) WHERE taskUUID = ?1 ORDER BY attempt)"};
};

// Creates the file, empty, and its folder where they are missing, as RecordConnection does. Throws
// std::system_error where it cannot create a folder.
void create_record_file(const std::string& path);

// TEXT where the bytes are UTF-8 without NUL, else a BLOB. They must outlive the statement's execution.
void bind_bytes(SQLite::Statement& statement, int index, const std::string& bytes);
void bind_or_null(SQLite::Statement& statement, int index, const std::string* bytes);

// What a column has, whether TEXT or BLOB.
std::string bytes_of(const SQLite::Column& column);

// Gives how many rows changed.
int execute(SQLite::Statement& statement);

bool is_busy(const SQLite::Exception& error);

// Whether this may pass, or be mended, while the worker goes on without the file: it is busy, cannot be
// written or read, is full or corrupt.
bool may_pass(const SQLite::Exception& error);

}  // namespace quire
