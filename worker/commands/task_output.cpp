#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iomanip>
#include <sstream>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "common/csv.hpp"
#include "common/text.hpp"
#include "worker/commands/result_output.hpp"
#include "worker/commands/tasks.hpp"

namespace quire {
namespace {

namespace json = boost::json;

json::value text_or_null(const std::optional<std::string>& text) {
  return text ? json::value(to_utf8(*text)) : json::value(nullptr);
}
json::value time_or_null(const std::optional<Timestamp>& time) {
  return time ? json::value(iso8601(*time)) : json::value(nullptr);
}

json::object object_of(const TaskSummary& task) {
  return {
      {"id", to_utf8(task.id)},
      {"state", name_of(task.state)},
      {"function", to_utf8(task.function)},
      {"arguments", to_utf8(task.arguments)},
      {"created", time_or_null(task.created)},
      {"begun", time_or_null(task.begun)},
      {"ended", time_or_null(task.ended)},
      {"exit_code", task.exit_code ? json::value(*task.exit_code) : json::value(nullptr)},
      {"ended_by", task.ended_by},
      {"reported_end", time_or_null(task.reported ? std::optional(task.reported->ended) : std::nullopt)},
      {"reported_exit_code", task.reported ? json::value(task.reported->exit_code) : json::value(nullptr)},
      {"worker", to_utf8(task.client)},
      {"batch", task.batch},
      {"attempts", task.attempts}};
}

// The first line that says something.
std::string first_line(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  return begin == text.npos ? std::string() : text.substr(begin, text.find_first_of("\r\n", begin) - begin);
}

// What a spreadsheet of jobs says of one: of a task that did not end well why that was, else its arguments.
std::string info_of(const TaskSummary& task) {
  if (task.state != TaskState::failed && task.state != TaskState::cancelled) return task.arguments;
  const std::string error = first_line(task.error.value_or(""));
  if (!error.empty()) return error;
  std::string text = task.state == TaskState::cancelled ? "Cancelled"
                     : task.ended_by.empty()            ? "Failed"
                                                        : "Ended by the limit " + task.ended_by;
  text += " with exit code " + std::to_string(task.exit_code.value_or(0));
  const std::string last_words = first_line(task.process_error.value_or(""));
  return text + ": " + (last_words.empty() ? task.arguments : last_words);
}

class Table : public TaskOutput {
 public:
  Table(std::ostream& stream, std::size_t width) : stream_(stream), rest_(width > 120 ? width - 90 : 30) {}

  void add(const TaskSummary& task) override {
    if (std::exchange(first_, false)) line("STATE", "BEGUN (UTC)", "TASK", "EXIT", "FUNCTION", "ARGUMENTS");
    line(name_of(task.state), short_time(task.begun ? task.begun : task.ended),
         one_line(to_utf8(task.id), 36), exit_of(task), one_line(to_utf8(task.function), 24),
         one_line(to_utf8(task.arguments), rest_));
  }

 private:
  void line(const std::string& state, const std::string& begun, const std::string& id,
            const std::string& code, const std::string& function, const std::string& arguments) {
    std::string text = padded(state, 9) + "  " + padded(begun, 19) + "  " + padded(id, 36) + "  " +
                       padded(code, 4) + "  " + padded(function, 20) + "  " + arguments;
    text.erase(text.find_last_not_of(' ') + 1);
    stream_ << text << '\n';
  }

  static std::string exit_of(const TaskSummary& task) {
    if (task.exit_code) return std::to_string(*task.exit_code);
    if (task.reported) return "(" + std::to_string(task.reported->exit_code) + ")";
    return {};
  }

  std::ostream& stream_;
  const std::size_t rest_;
  bool first_ = true;
};

class JsonLines : public TaskOutput {
 public:
  explicit JsonLines(std::ostream& stream) : stream_(stream) {}
  void add(const TaskSummary& task) override { stream_ << json::serialize(object_of(task)) << '\n'; }

 private:
  std::ostream& stream_;
};

void write_cells(std::ostream& stream, std::initializer_list<std::string> cells) {
  const char* separator = "";
  for (const std::string& cell : cells) {
    stream << separator << spreadsheet_cell(cell);
    separator = ",";
  }
  stream << '\n';
}

std::string time_cell(const std::optional<Timestamp>& time) { return time ? record_time(*time) : ""; }

class Csv : public TaskOutput {
 public:
  explicit Csv(std::ostream& stream) : stream_(stream) {
    stream_ << "id,state,function,arguments,created,begun,ended,exit_code,ended_by,worker,batch,attempts,job,"
               "file,"
               "file_name,stdout,stderr,process_stdout,process_stderr\n";
  }
  void add(const TaskSummary& task) override {
    write_cells(stream_, {task.id, name_of(task.state), task.function, task.arguments,
                          time_cell(task.created), time_cell(task.begun), time_cell(task.ended),
                          task.exit_code ? std::to_string(*task.exit_code) : "", task.ended_by, task.client,
                          std::to_string(task.batch), std::to_string(task.attempts), task.job, task.file,
                          task.file_name, task.output.value_or(""), task.error.value_or(""),
                          task.process_output.value_or(""), task.process_error.value_or("")});
  }

 private:
  std::ostream& stream_;
};

class AtomCsv : public TaskOutput {
 public:
  explicit AtomCsv(std::ostream& stream) : stream_(stream) {
    stream_ << "startDate,endDate,jobName,jobStatus,jobInfo,jobUser\n";
  }
  void add(const TaskSummary& task) override {
    write_cells(stream_, {short_time(task.begun), short_time(task.ended), task.function, name_of(task.state),
                          info_of(task), task.client});
  }

 private:
  std::ostream& stream_;
};

}  // namespace

std::unique_ptr<TaskOutput> make_task_output(TaskFormat format, std::ostream& stream, std::size_t width) {
  switch (format) {
    case TaskFormat::json:
      return std::make_unique<JsonLines>(stream);
    case TaskFormat::csv:
      return std::make_unique<Csv>(stream);
    case TaskFormat::atom:
      return std::make_unique<AtomCsv>(stream);
    case TaskFormat::table:
      break;
  }
  return std::make_unique<Table>(stream, width);
}

void write_json(std::ostream& stream, const TaskDetails& details) {
  json::object object = object_of(details.task);
  object["job"] = to_utf8(details.task.job);
  object["file"] = to_utf8(details.task.file);
  object["file_name"] = to_utf8(details.task.file_name);
  object["wants_output"] = details.wants_output;
  object["handle"] = to_utf8(details.handle);
  object["unique"] = to_utf8(details.unique);
  object["delivery"] = details.delivery;
  object["stdout"] = text_or_null(details.task.output);
  object["stderr"] = text_or_null(details.task.error);
  object["process_stdout"] = text_or_null(details.task.process_output);
  object["process_stderr"] = text_or_null(details.task.process_error);
  json::array attempts;
  for (const TaskAttempt& attempt : details.attempts) {
    attempts.push_back(json::object{{"worker", to_utf8(attempt.client)},
                                    {"handle", to_utf8(attempt.handle)},
                                    {"batch", attempt.batch},
                                    {"begun", time_or_null(attempt.begun)},
                                    {"end", attempt.end}});
  }
  object["attempts_made"] = std::move(attempts);
  stream << json::serialize(object) << '\n';
}

std::string short_time(const std::optional<Timestamp>& time) {
  return time ? record_time(*time).substr(0, 19) : "";
}

std::string duration_text(Seconds seconds) {
  const auto whole = static_cast<std::int64_t>(seconds.count());
  const auto pair = [](std::int64_t many, const char* large, std::int64_t few, const char* small) {
    return std::to_string(many) + " " + large + " " + std::to_string(few) + " " + small;
  };
  if (whole >= 86'400) return pair(whole / 86'400, "d", whole / 3'600 % 24, "h");
  if (whole >= 3'600) return pair(whole / 3'600, "h", whole / 60 % 60, "min");
  if (whole >= 60) return pair(whole / 60, "min", whole % 60, "s");
  std::ostringstream text;
  text << std::fixed << std::setprecision(1) << seconds.count() << " s";
  return text.str();
}

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 120;
}

std::string padded(std::string text, std::size_t width) {
  const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
  const auto characters = static_cast<std::size_t>(std::ranges::count_if(text, begins));
  if (characters < width) text.append(width - characters, ' ');
  return text;
}

}  // namespace quire
