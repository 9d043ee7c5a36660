#include "worker/commands/result_output.hpp"

#include <algorithm>
#include <ostream>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "common/csv.hpp"
#include "common/text.hpp"

namespace quire {
namespace {

namespace json = boost::json;

constexpr std::size_t failures_told = 3;
constexpr std::size_t text_told = 16 * 1024;  // bytes of each text of a failure

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }
bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

// C1 controls are two bytes in UTF-8: C2 80 to C2 9F.
bool is_c1(std::string_view rest) {
  return rest.size() > 1 && rest[0] == '\xC2' && static_cast<unsigned char>(rest[1]) < 0xA0;
}

std::string pad(std::string text, std::size_t width) {
  const auto characters = static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
  if (characters < width) text.append(width - characters, ' ');
  return text;
}

class Table : public ResultOutput {
 public:
  Table(std::ostream& stream, std::size_t width) : stream_(stream) {
    // Narrow tables have the beginning of the id only, to leave room for what people read.
    id_width_ = width >= 110 ? 36 : 9;
    const std::size_t left = std::max<std::size_t>(width, 60) - id_width_ - 5 - 9 - 8;
    arguments_width_ = left / 2;
    output_width_ = left - arguments_width_;
  }

  void add(const Outcome& outcome) override {
    if (tasks_++ == 0) write_line("EXIT", "AT (UTC)", "TASK", "ARGUMENTS", "OUTPUT");
    const Task& task = outcome.task;
    if (!task.result) {
      write_line("none", "", task.id, task.arguments, outcome.problem);
    } else {
      const TaskResult& result = *task.result;
      const std::string finished = result.finished ? iso8601(*result.finished).substr(11, 8) : "";
      const bool tell_error = result.exit_code != 0 ? !result.error.empty() : result.output.empty();
      write_line(std::to_string(result.exit_code), finished, task.id, task.arguments,
                 tell_error ? result.error : result.output);
    }
    if (outcome.succeeded()) return;
    if (failed_++ < failures_told) failures_.push_back(outcome);
  }

  void finish() override {
    for (const Outcome& outcome : failures_) tell(outcome);
    if (failed_ > failures_.size()) {
      const std::size_t more = failed_ - failures_.size();
      stream_ << "\n… and " << more << (more == 1 ? " more task" : " more tasks")
              << " that failed: --format json --output FILE keeps everything.\n";
    }
    stream_.flush();
  }

 private:
  void write_line(const std::string& code, const std::string& finished, const std::string& id,
                  const std::string& arguments, const std::string& text) {
    std::string line = pad(one_line(code, 5), 5) + "  " + pad(finished, 8) + "  " +
                       pad(one_line(to_utf8(id), id_width_), id_width_) + "  " +
                       pad(one_line(to_utf8(arguments), arguments_width_), arguments_width_) + "  " +
                       one_line(to_utf8(text), output_width_);
    line.erase(line.find_last_not_of(' ') + 1);
    stream_ << line << '\n';
  }

  void tell(const Outcome& outcome) {
    const Task& task = outcome.task;
    stream_ << "\nTask " << one_line(to_utf8(task.id), 80);
    if (!task.result) {
      stream_ << " has no result: " << outcome.problem << '\n';
    } else {
      stream_ << " failed with exit code " << task.result->exit_code << ".\n";
    }
    stream_ << "  arguments\n";
    write_block(stream_, to_utf8(task.arguments));
    if (task.result && !task.result->error.empty()) {
      stream_ << "  stderr\n";
      write_block(stream_, to_utf8(task.result->error));
    }
    if (task.result && !task.result->output.empty()) {
      stream_ << "  stdout\n";
      write_block(stream_, to_utf8(task.result->output));
    }
  }

  std::ostream& stream_;
  std::size_t id_width_;
  std::size_t arguments_width_;
  std::size_t output_width_;
  std::size_t tasks_ = 0;
  std::size_t failed_ = 0;
  std::vector<Outcome> failures_;
};

class JsonLines : public ResultOutput {
 public:
  explicit JsonLines(std::ostream& stream) : stream_(stream) {}

  void add(const Outcome& outcome) override {
    const Task& task = outcome.task;
    const TaskResult result = task.result.value_or(TaskResult());
    json::object line;
    line["id"] = to_utf8(task.id);
    line["arguments"] = to_utf8(task.arguments);
    line["exit_code"] = task.result ? json::value(result.exit_code) : json::value(nullptr);
    line["finished"] = result.finished ? json::value(iso8601(*result.finished)) : json::value(nullptr);
    line["stdout"] = to_utf8(result.output);
    line["stderr"] = to_utf8(result.error);
    if (!task.result) line["problem"] = to_utf8(outcome.problem);
    stream_ << json::serialize(line) << '\n';
  }

  void finish() override { stream_.flush(); }

 private:
  std::ostream& stream_;
};

// RFC 4180, with line feeds alone at the ends of lines. No cell is one that a spreadsheet would run as a
// formula.
class Csv : public ResultOutput {
 public:
  explicit Csv(std::ostream& stream) : stream_(stream) {
    stream_ << "id,arguments,exit_code,finished,stdout,stderr,problem\n";
  }

  void add(const Outcome& outcome) override {
    const Task& task = outcome.task;
    const TaskResult result = task.result.value_or(TaskResult());
    const std::string cells[] = {task.id,
                                 task.arguments,
                                 task.result ? std::to_string(result.exit_code) : "",
                                 result.finished ? iso8601(*result.finished) : "",
                                 result.output,
                                 result.error,
                                 outcome.problem};
    const char* separator = "";
    for (const std::string& cell : cells) {
      stream_ << separator << spreadsheet_cell(cell);
      separator = ",";
    }
    stream_ << '\n';
  }

  void finish() override { stream_.flush(); }

 private:
  std::ostream& stream_;
};

}  // namespace

void write_block(std::ostream& stream, std::string_view text) {
  const bool cut = text.size() > text_told;
  if (cut) {
    std::size_t end = text_told;
    while (end > 0 && !begins_character(text[end])) --end;
    text = text.substr(0, end);
  }
  if (text.ends_with('\n')) text.remove_suffix(1);
  stream << "    ";
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') {
      stream << "\n    ";
    } else if (is_c1(text.substr(i))) {
      stream << "·";
      ++i;
    } else if (is_control(text[i]) && text[i] != '\t') {
      stream << "·";
    } else {
      stream << text[i];
    }
  }
  stream << '\n';
  if (cut) stream << "    … (cut; --format json has all of it)\n";
}

std::unique_ptr<ResultOutput> make_result_output(ResultFormat format, std::ostream& stream,
                                                 std::size_t width) {
  switch (format) {
    case ResultFormat::json:
      return std::make_unique<JsonLines>(stream);
    case ResultFormat::csv:
      return std::make_unique<Csv>(stream);
    case ResultFormat::table:
      break;
  }
  return std::make_unique<Table>(stream, width);
}

std::string one_line(std::string_view text, std::size_t width) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  std::string line;
  std::size_t characters = 0;
  std::size_t last = 0;  // where the last character that fits begins
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (begins_character(text[i])) {
      if (characters == width) return line.substr(0, last) + "…";
      ++characters;
      last = line.size();
    }
    if (is_c1(text.substr(i))) {
      line += "·";
      ++i;
    } else if (text[i] == '\n' || text[i] == '\t' || text[i] == '\r') {
      line += ' ';
    } else {
      line += is_control(text[i]) ? std::string("·") : std::string(1, text[i]);
    }
  }
  return line;
}

}  // namespace quire
