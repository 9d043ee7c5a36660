#include "worker/sqlite_schema.hpp"

#include <iterator>
#include <stdexcept>
#include <string>

namespace quire {
namespace {

// migrations[N] makes a version N file one of version N+1; the first one makes the record out of nothing.
//
// Rows stand in order of arrival, with a unique index on the id: with the id as the key of the table itself
// every insert would touch a page of its own, which is five times slower. The long texts come last, so that a
// list of tasks does not read through them.
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

}  // namespace

void prepare_record(SQLite::Database& database) {
  const bool current = checked_version(database) == current_version;
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
