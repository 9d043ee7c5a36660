// What was found before a site moves over.
#pragma once

#include <string>
#include <vector>

namespace quire {

struct HandOverFinding {
  enum class Level { ok, warning, critical };
  Level level = Level::ok;
  std::string check;     // in one word; several findings may be of one check
  std::string sentence;  // what is so and where; what to do about it, unless it is well
};

using HandOverFindings = std::vector<HandOverFinding>;

}  // namespace quire
