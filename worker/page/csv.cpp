#include "worker/page/csv.hpp"

#include "common/text.hpp"

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
    line += csv_cell(cell);
  }
  return line + "\r\n";
}

std::string csv_cell(std::string_view text) {
  std::string cell = to_utf8(text);
  const std::size_t begin = cell.find_first_not_of(" \t\r\n\v\f");
  const std::string_view rest =
      begin == cell.npos ? std::string_view() : std::string_view(cell).substr(begin);
  bool is_formula = !cell.empty() && std::string_view("\t\r\n").find(cell.front()) != std::string_view::npos;
  for (const std::string_view sign : {"=", "+", "-", "@", "\uFF1D", "\uFF0B", "\uFF0D", "\uFF20"})
    is_formula = is_formula || rest.starts_with(sign);
  if (is_formula) cell.insert(cell.begin(), '\'');
  if (cell.find_first_of(",\"\r\n") == cell.npos) return cell;
  std::string quoted = "\"";
  for (const char c : cell) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace quire::page
