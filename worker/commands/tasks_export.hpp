// Tasks to a file, for `quire tasks export` and for `clear`, which may do that first.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>

#include "worker/commands/tasks.hpp"

namespace quire {

// Both give how many tasks they have written.
std::size_t export_tasks(TaskQuery& record, TaskFilter filter, TaskFormat format, std::ostream& stream);
// Throws UsageError where the file cannot be made, std::runtime_error where it cannot be written to its end.
std::size_t export_to_file(TaskQuery& record, const TaskFilter& filter, TaskFormat format,
                           const std::string& path);

}  // namespace quire
