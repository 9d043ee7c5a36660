// Deleting from the record, while workers write to it.
#pragma once

#include <cstdint>

#include <SQLiteCpp/SQLiteCpp.h>

#include "worker/ended_tasks.hpp"

namespace quire {

class WriteTurn;

// Deletes tasks that have ended, and batches that have ended of which none is left. Gives how many tasks.
// Tasks that run, wait or were cut short stay. A task that has been deleted is a new one: it is run when it
// is delivered again. In transactions of some milliseconds, after each of which the file is left to others
// for at least as long. One that fails (others have the file for longer than half a minute) throws
// SQLite::Exception, and what was done before stays done. The file does not shrink: its room is used again.
// turn: by which it queues with those who write; null: it does not.
std::uint64_t delete_ended_tasks(SQLite::Database& database, const EndedTasks& which,
                                 const DeletionWatch& watch = {}, WriteTurn* turn = nullptr);

}  // namespace quire
