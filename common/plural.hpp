// Numbers of things, for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace quire {

// "1 task", "2 tasks". plural: where that is another word than the noun with an s.
inline std::string counted(std::uint64_t number, std::string_view noun, std::string_view plural = {}) {
  std::string text = std::to_string(number) + " ";
  if (number == 1) return text.append(noun);
  return plural.empty() ? text.append(noun) + 's' : text.append(plural);
}

}  // namespace quire
