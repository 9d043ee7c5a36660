#include "worker/setting_values.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>
#include <string_view>

#include <boost/asio/ip/address.hpp>

#include "worker/log.hpp"
#include "worker/nearest.hpp"
#include "worker/settings.hpp"

namespace quire {
namespace {

std::string quoted(const std::string& text) { return text.empty() ? "nothing" : "\"" + text + "\""; }

// "a, b or c"
std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += words[i];
  }
  return text;
}

}  // namespace

std::size_t number_value(const std::string& text, Range range) {
  std::size_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end || number < range.least || number > range.most) {
    throw std::invalid_argument(quoted(text) + " is not a whole number from " + std::to_string(range.least) +
                                " to " + std::to_string(range.most) + ".");
  }
  return number;
}

bool switch_value(const std::string& text) {
  const std::string word = lower_case(text);
  if (word == "yes" || word == "true" || word == "on" || word == "1") return true;
  if (word == "no" || word == "false" || word == "off" || word == "0") return false;
  throw std::invalid_argument(quoted(text) + " is neither yes nor no (nor true, false, on, off, 1, 0).");
}

void check_servers(const std::string& text) {
  const auto servers = list_items(text, ',');
  if (servers.empty())
    throw std::invalid_argument("no job server is named; write HOST:PORT, such as 127.0.0.1:4730.");
  for (const std::string& server : servers) {
    const std::size_t colon = server.rfind(':');
    const std::string host = server.substr(0, colon);
    if (host.empty() || host.find_first_of(" \t;/") != host.npos) {
      throw std::invalid_argument(quoted(server) +
                                  " is not a job server; write HOST:PORT, several with commas between.");
    }
    if (colon == server.npos) continue;
    try {
      number_value(server.substr(colon + 1), {1, 65535});
    } catch (const std::invalid_argument& error) {
      throw std::invalid_argument("the port of " + quoted(server) + ": " + error.what());
    }
  }
}

void check_log_level(const std::string& text) {
  static const std::array<std::string, 7> levels = {"trace", "debug",    "info", "warning",
                                                    "error", "critical", "off"};
  if (std::find(levels.begin(), levels.end(), text) != levels.end()) return;
  throw std::invalid_argument(quoted(text) +
                              " is not a level; use trace, debug, info, warning, error, critical or off." +
                              did_you_mean(text, levels));
}

std::map<std::string, std::string> log_levels_value(const std::string& text) {
  const std::vector<std::string> known(logs::rooms.begin(), logs::rooms.end());
  std::map<std::string, std::string> levels;
  for (const std::string& item : list_items(text, ',')) {
    const auto parts = list_items(item, '=');
    if (parts.size() != 2) {
      throw std::invalid_argument(quoted(item) + " is not ROOM=LEVEL, such as record=debug.");
    }
    if (std::find(known.begin(), known.end(), parts[0]) == known.end()) {
      throw std::invalid_argument(quoted(parts[0]) + " is not a room of the log; use " + joined(known) + "." +
                                  did_you_mean(parts[0], known));
    }
    check_log_level(parts[1]);
    levels[parts[0]] = parts[1];
  }
  return levels;
}

void check_log_levels(const std::string& text) { log_levels_value(text); }

void check_log_format(const std::string& text) {
  if (text == "text" || text == "json") return;
  throw std::invalid_argument(quoted(text) + " is not a form of the log; use text or json.");
}

void check_address(const std::string& text) {
  if (text.empty()) return;
  const std::size_t colon = text.rfind(':');
  std::string host = text.substr(0, colon);
  if (host == "localhost") host = "127.0.0.1";
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  boost::system::error_code error;
  boost::asio::ip::make_address(host, error);
  if (error || colon == text.npos) {
    throw std::invalid_argument(quoted(text) + " is not an address; write IP:PORT, such as 127.0.0.1:9100.");
  }
  try {
    number_value(text.substr(colon + 1), {1, 65535});
  } catch (const std::invalid_argument& why) {
    throw std::invalid_argument("the port of " + quoted(text) + ": " + why.what());
  }
}

void check_metrics_prefix(const std::string& text) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_:0123456789";
  if (text.find_first_not_of(letters) == text.npos && (text.empty() || text[0] < '0' || text[0] > '9'))
    return;
  throw std::invalid_argument(quoted(text) +
                              " cannot begin a metric's name: letters, digits and _ are allowed.");
}

}  // namespace quire
