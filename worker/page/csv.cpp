#include "worker/page/csv.hpp"

#include "common/csv.hpp"

namespace quire::page {
namespace {

std::string time_cell(const std::optional<Timestamp>& time) { return time ? iso8601(*time) : ""; }

}  // namespace

std::string csv_header() {
  return "id,state,function,arguments,created,begun,ended,exit_code,ended_by,worker,batch,attempts,job,"
         "file\r\n";
}

std::string csv_line(const TaskSummary& task) {
  const std::string cells[] = {task.id,
                               name_of(task.state),
                               task.function,
                               task.arguments,
                               time_cell(task.created),
                               time_cell(task.begun),
                               time_cell(task.ended),
                               task.exit_code ? std::to_string(*task.exit_code) : "",
                               task.ended_by,
                               task.client,
                               std::to_string(task.batch),
                               std::to_string(task.attempts),
                               task.job,
                               task.file_name.empty() ? task.file : task.file_name};
  std::string line;
  for (const std::string& cell : cells) {
    if (&cell != &cells[0]) line += ',';
    line += spreadsheet_cell(cell);
  }
  return line + "\r\n";
}

}  // namespace quire::page
