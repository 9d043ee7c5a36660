// Tasks as CSV (RFC 4180), for a spreadsheet.
#pragma once

#include <string>
#include <string_view>

#include "worker/task_query.hpp"

namespace quire::page {

// "id,state,function,…" and a line end.
std::string csv_header();
std::string csv_line(const TaskSummary& task);

// A cell: quoted where it must be; one that a spreadsheet would take for a formula has a ' before it.
std::string csv_cell(std::string_view text);

}  // namespace quire::page
