// Where the tasks of a submission come from: one after the other, so that a million of them need no memory.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "worker/batch.hpp"

namespace quire {

class TaskInput {
 public:
  virtual ~TaskInput() = default;

  // The next task, with an id. Nothing: at the end, or when more may come and is not there yet. A task that
  // cannot be sent comes with its result, which says why. Throws UsageError that names file and line.
  virtual std::optional<Task> next() = 0;
  virtual bool at_end() const = 0;

  // Waits until there is more to read, or the time is up, or a signal came.
  virtual void wait(std::chrono::milliseconds limit) = 0;

  // How many tasks there are in all, where that is known beforehand.
  virtual std::optional<std::size_t> total() const = 0;
};

// One task with these words as its arguments.
std::unique_ptr<TaskInput> task_of_words(const std::vector<std::string>& words);

struct LineInput {
  enum class Form {
    arguments,  // a line is a task's raw arguments string
    word,       // a line is the last word of a task's arguments, a file name for example
    json,       // a line is {"id"?, "arguments", "wants_output"?, "created_date"?}, or a string
  };
  std::string file;  // "-": standard input
  Form form = Form::arguments;
  char delimiter = '\n';
  std::vector<std::string> words;  // word: what comes before it
};

// A task for each line that is not empty. Throws UsageError when the file cannot be opened.
std::unique_ptr<TaskInput> tasks_of_lines(const LineInput& input);

}  // namespace quire
