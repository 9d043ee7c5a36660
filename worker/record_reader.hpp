// What readers of the record ask for that its view Tasks alone would have to search for. Any connection will
// do, one that can only read included. They give numbers: "SELECT … FROM Tasks WHERE sequence = ?" has the
// row at once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>

namespace quire {

// Tasks.sequence of a task that has ended, runs or was cut short; the last of its deliveries where it has
// several. Nothing where the record does not know it. Reads pages in the number of the record's tasks divided
// by 65,536.
std::optional<std::int64_t> find_task(SQLite::Database& database, const std::string& id);

// Tasks.sequence of tasks of a function that have ended: those of its last batches first, in each the last
// first; at most so many.
std::vector<std::int64_t> newest_tasks_of(SQLite::Database& database, const std::string& function,
                                          std::size_t most);

}  // namespace quire
