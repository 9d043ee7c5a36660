// What a check of a site has found, in daily life (health/) and before a site moves over
// (hand_over_check.hpp).
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

namespace quire {

struct Finding {
  enum class Level { ok, warning, critical };  // by number the exit codes that monitoring knows: 0, 1, 2
  Level level = Level::ok;
  std::string check;     // in one word; several findings may be of one check
  std::string sentence;  // what is so and where; what to do about it, unless it is well
};

using Findings = std::vector<Finding>;

inline const char* name_of(Finding::Level level) {
  constexpr std::array names = {"ok", "warning", "critical"};
  return names[static_cast<std::size_t>(level)];
}

}  // namespace quire
