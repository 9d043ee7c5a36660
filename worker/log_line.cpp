#include "worker/log_line.hpp"

#include <ctime>
#include <iterator>

#include <spdlog/fmt/fmt.h>
#include <boost/json/serialize.hpp>

#include "common/text.hpp"

namespace quire::logs {
namespace {

// REQUIRES: text is UTF-8
void append_escaped(std::string& line, std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '\n') {
      line += "\\n";
    } else if (byte == '\r') {
      line += "\\r";
    } else if ((byte < 0x20 && byte != '\t') || byte == 0x7f) {
      fmt::format_to(std::back_inserter(line), "\\x{:02x}", byte);
    } else if (byte == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0) {
      // U+0080 to U+009f command terminals, too.
      fmt::format_to(std::back_inserter(line), "\\x{:02x}", static_cast<unsigned char>(text[++i]));
    } else {
      line += text[i];
    }
  }
}

std::string local_time(Timestamp time) {
  const auto since = time.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
  const std::time_t whole = seconds.count();
  std::tm parts{};
  ::localtime_r(&whole, &parts);
  char text[32];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
  return fmt::format("{}.{:03}", std::string_view(text, length),
                     std::chrono::duration_cast<std::chrono::milliseconds>(since - seconds).count());
}

void append_field(std::string& line, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  line += line.size() > 1 ? ",\"" : "\"";
  line += name;
  line += "\":";
  line += boost::json::serialize(boost::json::string_view(to_utf8(value)));
}

}  // namespace

std::string text_line(const Event& event) {
  std::string line = local_time(event.time);
  for (const std::string_view part : {event.level, event.room}) {
    line += ' ';
    line += part;
  }
  line += ' ';
  line += bare_line(event);
  return line;
}

std::string bare_line(const Event& event) {
  std::string line;
  append_escaped(line, to_utf8(event.message));
  line += '\n';
  return line;
}

std::string json_line(const Event& event) {
  std::string line = "{";
  append_field(line, "time", iso8601(event.time));
  append_field(line, "level", event.level);
  append_field(line, "room", event.room);
  append_field(line, "job", event.job);
  append_field(line, "function", event.function);
  append_field(line, "task", event.task);
  append_field(line, "message", event.message);
  line += "}\n";
  return line;
}

}  // namespace quire::logs
