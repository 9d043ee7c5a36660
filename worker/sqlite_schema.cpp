#include "worker/sqlite_schema.hpp"

#include <sqlite3.h>

#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "worker/task_index.hpp"

namespace quire {
namespace {

// migrations[N] makes a version N file one of version N+1; the first one makes the record out of nothing.
//
// As it is now:
//
//   Batches      every delivery of a batch; while its tasks run their workload is there
//   EndedTasks   every task that has ended, in the order in which they did
//   Attempts     of tasks that were begun more than once: the earlier ones
//   TaskIds, TaskIdRuns   the batches of a task's id (task_index.hpp)
//   Owed         which of EndedTasks the controller's database has not got yet (owed_table.hpp)
//   Workers      those that have opened this record; worker_presence.hpp tells which of them live
//   Tasks        a view for readers: those that have ended and those that are begun, with CONTRACT's columns
//
// A task costs one row, written once, and no index: rows that are written twice and an index of random ids
// cost five times as much. The long texts come last, so that a list of tasks does not read through them.
// Readers that are in a hurry ask by `sequence` (the newest have the highest) or for exitCode <> 0.
constexpr const char* migrations[] = {
    R"(
CREATE TABLE Batches (
  batch INTEGER PRIMARY KEY,
  uniqueId TEXT NOT NULL,          -- the same when the batch is delivered again
  handle TEXT NOT NULL,            -- the job server's: new for every submission
  exec TEXT NOT NULL,
  client TEXT NOT NULL,            -- who took it: host:pid
  startTime TEXT,
  endTime TEXT,                    -- NULL: it still runs, or its worker went away
  tasks INTEGER NOT NULL,
  failed INTEGER                   -- how many tasks ended with another exit code than 0
);
CREATE TABLE Tasks (
  sequence INTEGER PRIMARY KEY,    -- order of arrival
  taskUUID TEXT NOT NULL,
  jobuuid TEXT,                    -- the controller's own; not told to a worker
  createdTime TEXT,                -- NULL: the controller sent none that is a time
  fileUUID TEXT,
  fileName TEXT,
  exec TEXT NOT NULL,
  startTime TEXT,                  -- NULL: answered without having been run
  endTime TEXT,
  exitCode INTEGER,                -- NULL: it has no result (yet)
  client TEXT NOT NULL,
  batch INTEGER REFERENCES Batches,  -- the last one it came with
  attempts INTEGER NOT NULL,       -- how often it was begun
  wantsOutput INTEGER NOT NULL,
  arguments TEXT NOT NULL,         -- as the controller wrote them
  stdOut TEXT,                     -- NULL: not recorded
  stdError TEXT,
  processOut TEXT,                 -- what the process wrote by itself; NULL: nothing, or not recorded
  processError TEXT
);
CREATE UNIQUE INDEX TasksById ON Tasks (taskUUID);
)",
    R"(
CREATE TABLE Workers (             -- those that have opened this record; worker_presence.hpp tells which live
  worker INTEGER PRIMARY KEY AUTOINCREMENT,
  client TEXT NOT NULL,
  startTime TEXT NOT NULL
);
ALTER TABLE Batches ADD COLUMN worker INTEGER REFERENCES Workers;
ALTER TABLE Batches ADD COLUMN delivery TEXT;  -- of the reply: delivered, undelivered; interrupted: there is none
CREATE TABLE Attempts (            -- of tasks that were begun more than once: the earlier ones
  sequence INTEGER NOT NULL REFERENCES Tasks,
  attempt INTEGER NOT NULL,
  batch INTEGER REFERENCES Batches,
  PRIMARY KEY (sequence, attempt)
) WITHOUT ROWID;
)",
    R"(
ALTER TABLE Batches RENAME TO OldBatches;
ALTER TABLE Tasks RENAME TO OldTasks;
ALTER TABLE Attempts RENAME TO OldAttempts;

CREATE TABLE Batches (
  batch INTEGER PRIMARY KEY AUTOINCREMENT,  -- in the order in which they were begun
  uniqueId TEXT NOT NULL,          -- the same when the batch is delivered again
  handle TEXT NOT NULL,            -- the job server's: new for every submission
  exec TEXT NOT NULL,
  client TEXT NOT NULL,            -- who took it: host:pid
  worker INTEGER REFERENCES Workers,
  startTime TEXT,
  endTime TEXT,                    -- NULL: it still runs, was interrupted, or its worker went away
  tasks INTEGER NOT NULL,
  failed INTEGER,                  -- how many tasks ended with another exit code than 0
  delivery TEXT,                   -- of the reply: delivered, undelivered; interrupted: there is none
  firstTask INTEGER,               -- those of its tasks that have ended are among these rows of EndedTasks
  lastTask INTEGER,
  ids BLOB,                        -- hashes of the ids of all its tasks (task_index.hpp)
  workload TEXT,                   -- those of its tasks that were begun with it and have not ended
  interrupted TEXT                 -- likewise those that a stop of the worker has cut short
);
CREATE INDEX BatchesByExec ON Batches (exec, batch);
CREATE INDEX RunningBatches ON Batches (batch) WHERE workload IS NOT NULL;
CREATE INDEX InterruptedBatches ON Batches (batch) WHERE interrupted IS NOT NULL;
CREATE TABLE EndedTasks (
  sequence INTEGER PRIMARY KEY,
  batch INTEGER NOT NULL REFERENCES Batches,
  taskUUID TEXT NOT NULL,
  created INTEGER,                 -- microseconds since 1970, UTC; NULL: the controller sent none that is a time
  ended INTEGER NOT NULL,          -- likewise
  exitCode INTEGER NOT NULL,
  attempts INTEGER NOT NULL,       -- how often it was begun; 0: it was answered without being run
  wantsOutput INTEGER NOT NULL,
  endedBy TEXT,                    -- cancelled, or the limit that ended its process; NULL: neither
  arguments TEXT NOT NULL,         -- as the controller wrote them
  stdOut TEXT,                     -- NULL: not recorded
  stdError TEXT,
  processOut TEXT,                 -- what the process wrote by itself; NULL: nothing, or not recorded
  processError TEXT
);
CREATE INDEX FailedTasks ON EndedTasks (sequence) WHERE exitCode <> 0;
CREATE TABLE Attempts (
  taskUUID TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  batch INTEGER NOT NULL,
  PRIMARY KEY (taskUUID, attempt)
) WITHOUT ROWID;
CREATE TABLE TaskIdRuns (          -- each has the ids of the batches from the first to the last
  run INTEGER PRIMARY KEY,
  firstBatch INTEGER NOT NULL,
  lastBatch INTEGER NOT NULL
);
CREATE TABLE TaskIds (             -- a run's hashes and their batches, in order, a page of them in each row
  block INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES TaskIdRuns,
  low INTEGER NOT NULL,            -- the first hash
  entries BLOB NOT NULL
);
CREATE UNIQUE INDEX TaskIdsByHash ON TaskIds (run, low);
CREATE TABLE Deleted (             -- numbers up to this one are not given to tasks again
  sequence INTEGER NOT NULL
);
INSERT INTO Deleted VALUES (0);

INSERT INTO Batches (batch, uniqueId, handle, exec, client, worker, startTime, endTime, tasks, failed, delivery)
  SELECT batch, uniqueId, handle, exec, client, worker, startTime, endTime, tasks, failed, delivery FROM OldBatches;
INSERT INTO EndedTasks (batch, taskUUID, created, ended, exitCode, attempts, wantsOutput, arguments, stdOut, stdError,
                        processOut, processError)
  SELECT batch, taskUUID, strftime('%s', createdTime) * 1000000 + substr(createdTime, 21),
    strftime('%s', endTime) * 1000000 + substr(endTime, 21), exitCode, attempts, wantsOutput, arguments, stdOut,
    stdError, processOut, processError
  FROM OldTasks WHERE endTime IS NOT NULL AND exitCode IS NOT NULL AND batch IS NOT NULL ORDER BY batch, sequence;
UPDATE Batches SET firstTask = rows.first, lastTask = rows.last
  FROM (SELECT batch, min(sequence) AS first, max(sequence) AS last FROM EndedTasks GROUP BY batch) AS rows
  WHERE rows.batch = Batches.batch;
CREATE TEMP TABLE Begun AS
  SELECT batch, startTime IS NOT NULL AS isRunning, json_object('tasks', json_group_object(CAST(taskUUID AS TEXT), json_object(
    'createdDate', replace(coalesce(createdTime || '+00:00', ''), ' ', 'T'),
    'arguments', CAST(arguments AS TEXT), 'wants_output', json(iif(wantsOutput, 'true', 'false'))))) AS workload
  FROM OldTasks WHERE endTime IS NULL OR exitCode IS NULL GROUP BY batch, isRunning;
UPDATE Batches SET workload = Begun.workload FROM Begun WHERE Begun.batch = Batches.batch AND isRunning;
UPDATE Batches SET interrupted = Begun.workload FROM Begun WHERE Begun.batch = Batches.batch AND NOT isRunning;
DROP TABLE Begun;
INSERT INTO Attempts
  SELECT taskUUID, attempt, OldAttempts.batch FROM OldAttempts JOIN OldTasks USING (sequence)
  WHERE OldAttempts.batch IS NOT NULL;
WITH RECURSIVE Count (attempt) AS (SELECT 1 UNION ALL SELECT attempt + 1 FROM Count WHERE attempt < 1000)
INSERT OR IGNORE INTO Attempts
  SELECT taskUUID, attempt, batch FROM OldTasks JOIN Count ON attempt < attempts + (startTime IS NULL)
  WHERE batch IS NOT NULL AND (endTime IS NULL OR exitCode IS NULL);
UPDATE Batches SET ids = hashes.ids
  FROM (SELECT batch, task_hashes(taskUUID) AS ids FROM OldTasks GROUP BY batch) AS hashes
  WHERE hashes.batch = Batches.batch;
DROP TABLE OldAttempts;
DROP TABLE OldTasks;
DROP TABLE OldBatches;

-- A task that runs has a number beyond all others, so that the newest come first.
CREATE VIEW Tasks AS
  SELECT sequence, taskUUID, NULL AS jobuuid,
    strftime('%Y-%m-%d %H:%M:%S', (created - (created % 1000000 + 1000000) % 1000000) / 1000000, 'unixepoch')
      || printf('.%06d', (created % 1000000 + 1000000) % 1000000) AS createdTime,
    NULL AS fileUUID, NULL AS fileName, Batches.exec AS exec,
    iif(attempts > 0, Batches.startTime, NULL) AS startTime,
    strftime('%Y-%m-%d %H:%M:%S', ended / 1000000, 'unixepoch') || printf('.%06d', ended % 1000000) AS endTime,
    exitCode, Batches.client AS client, EndedTasks.batch AS batch, attempts, wantsOutput, arguments, stdOut,
    stdError, processOut, processError, endedBy
  FROM EndedTasks LEFT JOIN Batches USING (batch)
  UNION ALL
  SELECT (1 << 62) + (batch << 24) + task.id, task.key, NULL,
    replace(substr(task.value ->> 'createdDate', 1, 26), 'T', ' '),
    NULL, NULL, exec, startTime, NULL, NULL, client, batch,
    1 + (SELECT count(*) FROM Attempts WHERE Attempts.taskUUID = task.key),
    coalesce(task.value ->> 'wants_output', 1), coalesce(task.value ->> 'arguments', ''), NULL, NULL, NULL, NULL, NULL
  FROM Batches, json_each(iif(json_valid(workload), workload, '{}'), '$.tasks') AS task
  WHERE workload IS NOT NULL
  UNION ALL
  SELECT (1 << 62) + (batch << 24) + (1 << 23) + task.id, task.key, NULL,
    replace(substr(task.value ->> 'createdDate', 1, 26), 'T', ' '),
    NULL, NULL, exec, NULL, NULL, NULL, client, batch,
    (SELECT count(*) FROM Attempts WHERE Attempts.taskUUID = task.key),
    coalesce(task.value ->> 'wants_output', 1), coalesce(task.value ->> 'arguments', ''), NULL, NULL, NULL, NULL, NULL
  FROM Batches, json_each(iif(json_valid(interrupted), interrupted, '{}'), '$.tasks') AS task
  WHERE interrupted IS NOT NULL;
)",
    R"(
-- The columns of all three have the same affinities: only then does SQLite put the conditions of a question into
-- each of them, so that a page of the newest is read from the end and not through the whole record.
DROP VIEW Tasks;
CREATE VIEW Tasks AS
  SELECT sequence, taskUUID, NULL AS jobuuid,
    strftime('%Y-%m-%d %H:%M:%S', (created - (created % 1000000 + 1000000) % 1000000) / 1000000, 'unixepoch')
      || printf('.%06d', (created % 1000000 + 1000000) % 1000000) AS createdTime,
    NULL AS fileUUID, NULL AS fileName, Batches.exec AS exec,
    CAST(iif(attempts > 0, Batches.startTime, NULL) AS TEXT) AS startTime,
    strftime('%Y-%m-%d %H:%M:%S', ended / 1000000, 'unixepoch') || printf('.%06d', ended % 1000000) AS endTime,
    exitCode, Batches.client AS client, EndedTasks.batch AS batch, attempts, wantsOutput, arguments, stdOut,
    stdError, processOut, processError, endedBy
  FROM EndedTasks LEFT JOIN Batches USING (batch)
  UNION ALL
  SELECT CAST((1 << 62) + (batch << 24) + task.id AS INTEGER), CAST(task.key AS TEXT), NULL,
    replace(substr(task.value ->> 'createdDate', 1, 26), 'T', ' '),
    NULL, NULL, exec, startTime, NULL, CAST(NULL AS INTEGER), client, batch,
    CAST(1 + (SELECT count(*) FROM Attempts WHERE Attempts.taskUUID = task.key) AS INTEGER),
    CAST(coalesce(task.value ->> 'wants_output', 1) AS INTEGER), CAST(coalesce(task.value ->> 'arguments', '') AS TEXT),
    CAST(NULL AS TEXT), CAST(NULL AS TEXT), CAST(NULL AS TEXT), CAST(NULL AS TEXT), CAST(NULL AS TEXT)
  FROM Batches, json_each(iif(json_valid(workload), workload, '{}'), '$.tasks') AS task
  WHERE workload IS NOT NULL
  UNION ALL
  SELECT CAST((1 << 62) + (batch << 24) + (1 << 23) + task.id AS INTEGER), CAST(task.key AS TEXT), NULL,
    replace(substr(task.value ->> 'createdDate', 1, 26), 'T', ' '),
    NULL, NULL, exec, CAST(NULL AS TEXT), NULL, CAST(NULL AS INTEGER), client, batch,
    CAST((SELECT count(*) FROM Attempts WHERE Attempts.taskUUID = task.key) AS INTEGER),
    CAST(coalesce(task.value ->> 'wants_output', 1) AS INTEGER), CAST(coalesce(task.value ->> 'arguments', '') AS TEXT),
    CAST(NULL AS TEXT), CAST(NULL AS TEXT), CAST(NULL AS TEXT), CAST(NULL AS TEXT), CAST(NULL AS TEXT)
  FROM Batches, json_each(iif(json_valid(interrupted), interrupted, '{}'), '$.tasks') AS task
  WHERE interrupted IS NOT NULL;
)",
    R"(
-- A task that was cancelled has not failed.
ALTER TABLE Batches ADD COLUMN cancelled INTEGER;  -- how many tasks were
UPDATE Batches SET cancelled = few.number, failed = failed - few.number
  FROM (SELECT batch, count(*) AS number FROM EndedTasks WHERE exitCode <> 0 AND endedBy = 'cancelled' GROUP BY batch) AS few
  WHERE few.batch = Batches.batch;
)",
    R"(
CREATE TABLE Owed (                -- results that the controller's database has not got yet
  sequence INTEGER PRIMARY KEY REFERENCES EndedTasks
);
)",
};
constexpr int current_version = static_cast<int>(std::size(migrations));

int pragma(SQLite::Database& database, const std::string& name) {
  return database.execAndGet("PRAGMA " + name).getInt();
}

// Throws unless the file is empty or a record of this version or an older one; gives its version.
int checked_version(SQLite::Database& database) {
  const int version = pragma(database, "user_version");
  const int application = pragma(database, "application_id");
  const bool empty = database.execAndGet("SELECT COUNT(*) FROM sqlite_master").getInt() == 0;
  if (application != record_application_id && !(empty && application == 0 && version == 0)) {
    throw std::runtime_error("it is a SQLite file of another program; name another file for the record");
  }
  if (version > current_version) {
    throw std::runtime_error("it has version " + std::to_string(version) +
                             " and this quire knows versions up to " + std::to_string(current_version) +
                             "; install a newer quire or name another file");
  }
  return version;
}

// An aggregate for the steps above: the hashes of ids, as Batches.ids has them. What is in the file
// afterwards needs no function of ours.
void create_functions(SQLite::Database& database) {
  const auto take = [](sqlite3_context* context, int, sqlite3_value** values) {
    auto** hashes = static_cast<std::vector<TaskHash>**>(sqlite3_aggregate_context(context, sizeof(void*)));
    if (hashes == nullptr) return sqlite3_result_error_nomem(context);
    if (*hashes == nullptr) *hashes = new std::vector<TaskHash>;
    const auto* bytes = static_cast<const char*>(sqlite3_value_blob(values[0]));
    (*hashes)->push_back(task_hash({bytes, static_cast<std::size_t>(sqlite3_value_bytes(values[0]))}));
  };
  const auto finish = [](sqlite3_context* context) {
    auto** hashes = static_cast<std::vector<TaskHash>**>(sqlite3_aggregate_context(context, 0));
    if (hashes == nullptr || *hashes == nullptr) return sqlite3_result_null(context);
    const std::string bytes = bytes_of_hashes(**hashes);
    sqlite3_result_blob64(context, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
    delete *hashes;
  };
  const int code = sqlite3_create_function_v2(database.getHandle(), "task_hashes", 1, SQLITE_UTF8, nullptr,
                                              nullptr, take, finish, nullptr);
  if (code != SQLITE_OK) throw SQLite::Exception(database.getHandle(), code);
}

}  // namespace

void prepare_record(SQLite::Database& database) {
  create_functions(database);
  const bool current = [&] {
    // What it reads belongs together: another worker may be making the file what it is to be.
    const SQLite::Transaction reading(database);
    return checked_version(database) == current_version;
  }();
  const std::string mode = database.execAndGet("PRAGMA journal_mode = WAL").getString();
  if (mode != "wal") {
    throw std::runtime_error("its file system does not allow SQLite's WAL mode (it stays in mode " + mode +
                             ")");
  }
  if (current) return;
  // The version is read again inside the transaction: another worker may be doing the same.
  SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
  const int version = checked_version(database);
  for (int i = version; i < current_version; ++i) database.exec(migrations[i]);
  database.exec("PRAGMA user_version = " + std::to_string(current_version));
  database.exec("PRAGMA application_id = " + std::to_string(record_application_id));
  transaction.commit();
}

}  // namespace quire
