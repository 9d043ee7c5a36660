// Tasks as CSV (RFC 4180), for a spreadsheet.
#pragma once

#include <string>

#include "worker/task_query.hpp"

namespace quire::page {

// "id,state,function,…" and a line end.
std::string csv_header();
std::string csv_line(const TaskSummary& task);

}  // namespace quire::page
