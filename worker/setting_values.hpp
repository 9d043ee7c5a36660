// The texts of settings, read strictly. Each function throws std::invalid_argument with the rest of a
// sentence that begins with the setting's place: "\"x\" is not a whole number from 0 to 10."
#pragma once

#include <cstddef>
#include <map>
#include <string>

namespace quire {

struct Range {
  std::size_t least = 0;
  std::size_t most = 1'000'000'000;
};

// Digits only.
std::size_t number_value(const std::string& text, Range range);

// yes, no, true, false, on, off, 1, 0; capitals do not matter.
bool switch_value(const std::string& text);

// Refuse what is not a list of HOST or HOST:PORT, not one of the log's levels, not a list of ROOM=LEVEL, or
// neither text nor json.
void check_servers(const std::string& text);
void check_log_level(const std::string& text);
void check_log_levels(const std::string& text);
void check_log_format(const std::string& text);

// Refuse what is neither empty nor IP:PORT (or localhost:PORT), or not the beginning of a metric's name.
void check_address(const std::string& text);
void check_metrics_prefix(const std::string& text);

// Room of the log → level. Throws as check_log_levels() does.
std::map<std::string, std::string> log_levels_value(const std::string& text);

}  // namespace quire
