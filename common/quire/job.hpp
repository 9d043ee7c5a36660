// One unit of work as a client script sees it, and what became of it: a plain value.
//
// The behaviour, member by member, is that of the Python Job class which Archivematica's client scripts
// are written against; worker/host/quire_host.py has the same class for Python scripts.
// A Job belongs to one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace quire {

class Job;

// Is told when the scope of a job opens and closes. The process that runs a subset implements it; a script
// never sees it.
class JobWatcher {
 public:
  virtual void begun(Job& job) = 0;
  // another_follows: the scope of the next job opens at once, with nothing of the script in between.
  virtual void ended(Job& job, bool another_follows) = 0;

 protected:
  ~JobWatcher() = default;
};

// How pyprint joins and where it writes; the defaults are those of Python's print.
struct PrintOptions {
  std::string_view sep = " ";
  std::string_view end = "\n";
  std::FILE* file =
      stdout;  // stdout or stderr: a name for the job's own text, nothing is written to the file
};

class Job {
 public:
  // name: the Gearman function. arguments: the words after it, without the name.
  Job(std::string name, std::string uuid, std::vector<std::string> arguments, bool capture_output = true)
      : name_(std::move(name)),
        uuid_(std::move(uuid)),
        args_(std::move(arguments)),
        capture_output_(capture_output) {
    args_.insert(args_.begin(), name_);
  }

  // args()[0] is the function's name; the job's own arguments begin at 1.
  const std::vector<std::string>& args() const { return args_; }

  // The argument at index, counted as in args(). Throws std::out_of_range with a sentence for the job's
  // stderr when there are fewer.
  const std::string& arg(std::size_t index) const {
    if (index < args_.size()) return args_[index];
    throw std::out_of_range(name_ + " needs argument " + std::to_string(index) + " and was given " +
                            std::to_string(args_.size() - 1) + ".");
  }

  const std::string& name() const { return name_; }
  const std::string& uuid() const { return uuid_; }

  // Whether the controller asked for the output. A hint: writing is allowed either way.
  bool capture_output() const { return capture_output_; }

  // Stores only a code that is not zero: 0 never clears an earlier failure. The status code is always stored.
  void set_status(std::int64_t code, std::string_view status_code = "success") {
    if (code != 0) int_code_ = code;
    status_code_ = status_code;
  }

  // Append as is. The bytes need not be UTF-8. The texts count when the scope of the job has closed; where
  // the process is ended before that, by a limit or since the task is cancelled, what they have when it gets
  // TERM is kept, unless the script handles TERM itself.
  void write_output(std::string_view text) { output_ += text; }
  void write_error(std::string_view text) { error_ += text; }

  // Join with spaces and add a newline. A value is anything a std::ostream can write.
  template <typename... Values>
  void print_output(const Values&... values) {
    print(output_, {}, values...);
  }
  template <typename... Values>
  void print_error(const Values&... values) {
    print(error_, {}, values...);
  }

  // Python's print(): job.pyprint("a", 1); job.pyprint(PrintOptions{.file = stderr}, "a", 1).
  // Throws std::invalid_argument when the file is neither stdout nor stderr.
  template <typename... Values>
  void pyprint(const PrintOptions& options, const Values&... values) {
    if (options.file != stdout && options.file != stderr) {
      throw std::invalid_argument("pyprint: the file must be stdout or stderr.");
    }
    print(options.file == stdout ? output_ : error_, options, values...);
  }
  template <typename... Values>
  requires(!std::is_same_v<PrintOptions, Values> && ...) void pyprint(const Values&... values) {
    pyprint(PrintOptions{}, values...);
  }

  std::int64_t int_code() const { return int_code_; }
  std::int64_t get_exit_code() const { return int_code_; }
  const std::string& status_code() const { return status_code_; }
  const std::string& output() const { return output_; }
  const std::string& get_stdout() const { return output_; }
  const std::string& error() const { return error_; }
  const std::string& get_stderr() const { return error_; }

 private:
  friend class JobScope;
  friend class JobAccess;

  template <typename... Values>
  static void print(std::string& to, const PrintOptions& options, const Values&... values) {
    [[maybe_unused]] bool first = true;  // not used where nothing is printed
    ((std::exchange(first, false) ? void() : void(to += options.sep), append(to, values)), ...);
    to += options.end;
  }
  template <typename Value>
  static void append(std::string& to, const Value& value) {
    if constexpr (std::is_convertible_v<const Value&, std::string_view>) {
      to += std::string_view(value);
    } else {
      std::ostringstream text;
      text << value;
      to += text.str();
    }
  }

  std::string name_;
  std::string uuid_;
  std::vector<std::string> args_;
  bool capture_output_;
  std::int64_t int_code_ = 0;
  std::string status_code_;
  std::string output_;
  std::string error_;
  JobWatcher* watcher_ = nullptr;
};

// The time in which a job is worked on. What the process writes to its own stdout and stderr meanwhile is
// attributed to the job. Prefer job_context() and for_each_job(); scopes do not nest.
class JobScope {
 public:
  explicit JobScope(Job& job, bool another_follows = false) : job_(job), another_follows_(another_follows) {
    if (job_.watcher_ != nullptr) job_.watcher_->begun(job_);
  }
  ~JobScope() {
    if (job_.watcher_ != nullptr) job_.watcher_->ended(job_, another_follows_);
  }
  JobScope(const JobScope&) = delete;
  JobScope& operator=(const JobScope&) = delete;

 private:
  Job& job_;
  const bool another_follows_;
};

}  // namespace quire
