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
  SQLite::Statement insert_batch{database, R"(
    INSERT INTO Batches (uniqueId, handle, exec, client, startTime, tasks) VALUES (?1, ?2, ?3, ?4, ?5, ?6))"};
  SQLite::Statement finish_batch{database, R"(
    UPDATE Batches SET endTime = ?1, failed = ?2 WHERE batch = ?3 AND handle = ?4 AND uniqueId = ?5)"};
  SQLite::Statement insert_task{database, R"(
    INSERT INTO Tasks (taskUUID, createdTime, exec, arguments, wantsOutput, batch, client, startTime, attempts)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING)"};
  SQLite::Statement restart_task{database, R"(
    UPDATE Tasks SET createdTime = ?2, exec = ?3, arguments = ?4, wantsOutput = ?5, batch = ?6, client = ?7,
      startTime = ?8, attempts = attempts + ?9,
      endTime = NULL, exitCode = NULL, stdOut = NULL, stdError = NULL, processOut = NULL, processError = NULL
    WHERE taskUUID = ?1 RETURNING sequence)"};
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

}  // namespace quire
