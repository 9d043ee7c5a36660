// Deleting from the record, while workers write to it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <SQLiteCpp/SQLiteCpp.h>

#include "common/timestamp.hpp"

namespace quire {

// Which of the tasks that have ended; all of them where nothing is said.
struct EndedTasks {
  std::string function;                  // empty: of any
  std::optional<Timestamp> before = {};  // those that ended before
  std::optional<bool> failed = {};       // true: with another exit code than 0; false: with 0
};

// Deletes tasks that have ended, and batches that have ended of which none is left. Gives how many tasks.
// Tasks that run, wait or were cut short stay. A task that has been deleted is a new one: it is run when it
// is delivered again. In short transactions, between which workers have their turns; one that fails (the file
// is busy for longer than the connection waits) throws SQLite::Exception, and what was done before stays
// done. The file does not shrink: its room is used again.
std::uint64_t delete_ended_tasks(SQLite::Database& database, const EndedTasks& which);

}  // namespace quire
