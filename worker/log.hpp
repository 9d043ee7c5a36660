// The log: an event is a line, on standard error or in a file, as text or as JSON.
//
//   2026-11-25 01:37:01.123 info batch H:host:42 checksum_v0.0: 37 tasks, 2 failed, 1.804 s
//   {"time":"2026-11-25T01:37:01.123456+00:00","level":"info","room":"batch","job":"H:host:42",
//    "function":"checksum_v0.0","message":"H:host:42 checksum_v0.0: 37 tasks, 2 failed, 1.804 s"}
//
// Each room has a logger, with a level of its own. A line is written before the call returns, by the thread
// that calls: nothing is lost when the process ends, and no thread of the log's is missing after a fork.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace spdlog {
class logger;
}

namespace quire::logs {

using Logger = std::shared_ptr<spdlog::logger>;

// Until set_up() they write to standard error, as text, from info on. Any thread.
const Logger& batch();    // the journey of a batch
const Logger& gearman();  // job servers and the connections to them
const Logger& host();     // modules, their hosts, and processes of subsets
const Logger& record();   // the task record
const Logger& web();      // metrics and the page
const Logger& worker();   // the daemon itself: start, settings, signals

inline constexpr std::array<std::string_view, 6> rooms = {"batch",  "gearman", "host",
                                                          "record", "web",     "worker"};

enum class Form {
  text,
  json,
  bare,  // the message alone, for a command at a terminal
};

struct Options {
  std::string level = "info";                      // of rooms that `levels` does not name
  std::map<std::string, std::string> levels = {};  // room → level
  Form form = Form::text;
  std::string file = {};  // empty: standard error
};

// How all rooms write from now on; a file is opened anew. Throws std::runtime_error with a sentence when it
// cannot be opened, and changes nothing then. Any thread.
void set_up(const Options& options);

// What the lines are about that this thread writes during its life: fields of their own in JSON. They nest;
// the innermost one counts. The texts must live as long.
class About {
 public:
  About(std::string_view job, std::string_view function, std::string_view task = {});
  ~About();
  About(const About&) = delete;
  About& operator=(const About&) = delete;

  std::string_view job;
  std::string_view function;
  std::string_view task;

 private:
  const About* outer_;
};

}  // namespace quire::logs
