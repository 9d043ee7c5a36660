#include "worker/commands/task_input.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "common/text.hpp"
#include "worker/commands/command.hpp"
#include "worker/commands/line_reader.hpp"
#include "worker/submitting.hpp"

namespace quire {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

Task task_of_arguments(std::string arguments) {
  Task task;
  task.id = new_id();
  task.created_date = iso8601(now());
  task.arguments = std::move(arguments);
  if (!is_utf8(task.arguments)) {
    task.arguments = to_utf8(task.arguments);
    task.fail("It was not sent: its arguments are not UTF-8, which a Gearman workload must be.");
  }
  return task;
}

class SingleTask : public TaskInput {
 public:
  explicit SingleTask(const std::vector<std::string>& words) : task_(task_of_arguments(quote_words(words))) {}

  std::optional<Task> next() override { return std::exchange(task_, std::nullopt); }
  bool at_end() const override { return !task_; }
  void wait(milliseconds) override {}
  std::optional<std::size_t> total() const override { return 1; }

 private:
  std::optional<Task> task_;
};

class Lines : public TaskInput {
 public:
  explicit Lines(const LineInput& input)
      : input_(input),
        name_(input.file == "-" ? "standard input" : input.file),
        reader_(input.file, input.delimiter) {
    if (input.file == "-" || !reader_.is_regular()) return;
    // Reading the file twice is cheap beside running its tasks, and lets the time left be told.
    LineReader counter(input.file, input.delimiter);
    std::size_t count = 0;
    while (!counter.at_end()) {
      const auto line = counter.next();
      if (line && !line->empty()) ++count;
    }
    total_ = count;
  }

  std::optional<Task> next() override {
    while (const auto line = reader_.next()) {
      if (!line->empty()) return task_of(*line);
    }
    return std::nullopt;
  }
  bool at_end() const override { return reader_.at_end(); }
  void wait(milliseconds limit) override { reader_.wait(limit); }
  std::optional<std::size_t> total() const override { return total_; }

 private:
  Task task_of(std::string_view line) {
    switch (input_.form) {
      case LineInput::Form::word: {
        std::vector<std::string> words = input_.words;
        words.emplace_back(line);
        return task_of_arguments(quote_words(words));
      }
      case LineInput::Form::json:
        return task_of_json(line);
      case LineInput::Form::arguments:
        break;
    }
    return task_of_arguments(std::string(line));
  }

  Task task_of_json(std::string_view line) {
    json::error_code error;
    const json::value value = json::parse({line.data(), line.size()}, error);
    if (error) refuse("is not JSON (" + error.message() + ")");
    if (value.is_string()) return task_of_arguments(std::string(value.get_string()));
    if (!value.is_object()) refuse("is neither an object nor a string");
    const json::object& object = value.get_object();
    const json::value* arguments = object.if_contains("arguments");
    if (arguments == nullptr || !arguments->is_string()) refuse("has no string \"arguments\"");
    Task task = task_of_arguments(std::string(arguments->get_string()));
    read_string(object, "id", task.id);
    read_string(object, "created_date", task.created_date);
    if (const json::value* wanted = object.if_contains("wants_output")) {
      if (!wanted->is_bool()) refuse("has a \"wants_output\" that is neither true nor false");
      task.wants_output = wanted->get_bool();
    }
    for (const auto& [key, ignored] : object) {
      if (key != "id" && key != "arguments" && key != "wants_output" && key != "created_date") {
        refuse("has the unknown member \"" + std::string(key) +
               "\"; known are id, arguments, wants_output and created_date");
      }
    }
    return task;
  }

  void read_string(const json::object& object, json::string_view key, std::string& to) {
    const json::value* value = object.if_contains(key);
    if (value == nullptr) return;
    if (!value->is_string() || value->get_string().empty()) {
      refuse("has a \"" + std::string(key) + "\" that is not a string, or empty");
    }
    to = value->get_string();
  }

  [[noreturn]] void refuse(const std::string& what) {
    throw UsageError("Line " + std::to_string(reader_.line()) + " of " + name_ + " " + what + ".");
  }

  const LineInput input_;
  const std::string name_;
  LineReader reader_;
  std::optional<std::size_t> total_;
};

}  // namespace

std::unique_ptr<TaskInput> task_of_words(const std::vector<std::string>& words) {
  return std::make_unique<SingleTask>(words);
}

std::unique_ptr<TaskInput> tasks_of_lines(const LineInput& input) {
  try {
    return std::make_unique<Lines>(input);
  } catch (const std::system_error& error) {
    throw UsageError("The file of tasks cannot be read: " + std::string(error.what()) + ".");
  }
}

}  // namespace quire
