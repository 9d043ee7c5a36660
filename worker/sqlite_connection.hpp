// The record's file while it is open: how it is opened, and the statements that write it.
#pragma once

#include <chrono>
#include <string>

#include <SQLiteCpp/SQLiteCpp.h>

namespace quire {

// The open file and its statements. NOMUTEX: one thread at a time uses it.
struct RecordConnection {
  // Creates the file (mode 0640) and its folder (0750) where they are missing. Throws as prepare_record()
  // does, and std::system_error.
  RecordConnection(const std::string& path, std::chrono::milliseconds wait);

  // Whether the file at the path is still the one that is open here.
  bool is_in_place() const;

  SQLite::Database database;
  SQLite::Statement insert_worker{database, "INSERT INTO Workers (client, startTime) VALUES (?1, ?2)"};
  SQLite::Statement find_worker{database,
                                "SELECT 1 FROM Workers WHERE worker = ?1 AND client = ?2 AND startTime = ?3"};
  SQLite::Statement insert_batch{database, R"(
    INSERT INTO Batches (uniqueId, handle, exec, client, startTime, tasks, worker)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7))"};
  SQLite::Statement finish_batch{database, R"(
    UPDATE Batches SET endTime = ?1, failed = ?2, delivery = ?3 WHERE batch = ?4 AND handle = ?5 AND uniqueId = ?6)"};
  SQLite::Statement deliver_batch{database, R"(
    UPDATE Batches SET delivery = ?1 WHERE batch = ?2 AND handle = ?3 AND uniqueId = ?4)"};
  SQLite::Statement insert_task{database, R"(
    INSERT INTO Tasks (taskUUID, createdTime, exec, arguments, wantsOutput, batch, client, startTime, attempts)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING)"};
  SQLite::Statement look_up{database, R"(
    SELECT sequence, Tasks.startTime, Tasks.endTime, exitCode, attempts, worker, stdOut, stdError,
      Batches.endTime IS NULL AND delivery IS NULL
    FROM Tasks LEFT JOIN Batches USING (batch) WHERE taskUUID = ?1)"};
  SQLite::Statement keep_attempt{database, R"(
    INSERT OR IGNORE INTO Attempts SELECT sequence, attempts, batch FROM Tasks WHERE sequence = ?1)"};
  SQLite::Statement list_attempts{database, R"(
    SELECT client, startTime FROM Attempts JOIN Batches USING (batch) WHERE sequence = ?1 ORDER BY attempt)"};
  SQLite::Statement restart_task{database, R"(
    UPDATE Tasks SET createdTime = ?2, exec = ?3, arguments = ?4, wantsOutput = ?5, batch = ?6, client = ?7,
      startTime = ?8, attempts = attempts + ?9 WHERE taskUUID = ?1)"};
  SQLite::Statement interrupt_task{database, R"(
    UPDATE Tasks SET startTime = NULL, attempts = attempts - 1
    WHERE sequence = ?1 AND taskUUID = ?2 AND endTime IS NULL AND startTime IS NOT NULL)"};
  SQLite::Statement find_task{database, "SELECT sequence FROM Tasks WHERE taskUUID = ?1"};
  SQLite::Statement finish_task{database, R"(
    UPDATE Tasks SET endTime = ?1, exitCode = ?2, stdOut = ?3, stdError = ?4, processOut = ?5, processError = ?6
    WHERE sequence = ?7 AND taskUUID = ?8)"};
};

// TEXT where the bytes are UTF-8 without NUL, else a BLOB. They must outlive the statement's execution.
void bind_bytes(SQLite::Statement& statement, int index, const std::string& bytes);
void bind_or_null(SQLite::Statement& statement, int index, const std::string* bytes);

// Gives how many rows changed.
int execute(SQLite::Statement& statement);

bool is_busy(const SQLite::Exception& error);

// Whether this may pass, or be mended, while the worker goes on without the file: it is busy, cannot be
// written or read, is full or corrupt.
bool may_pass(const SQLite::Exception& error);

}  // namespace quire
