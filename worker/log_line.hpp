// An event of the log as the line that it becomes.
#pragma once

#include <string>
#include <string_view>

#include "common/timestamp.hpp"

namespace quire::logs {

struct Event {
  Timestamp time;
  std::string_view level;
  std::string_view room;
  std::string_view message;   // bytes
  std::string_view job = {};  // what it is about, where that is known
  std::string_view function = {};
  std::string_view task = {};
};

// Local time, level, room, message. It is one line, whatever the message holds: what would end it, or change
// the terminal that shows it, is written as an escape (\n, \x1b), and bytes that are not UTF-8 as U+FFFD.
std::string text_line(const Event& event);

// The message alone, likewise one line.
std::string bare_line(const Event& event);

// A strict JSON object; time in UTC.
std::string json_line(const Event& event);

}  // namespace quire::logs
