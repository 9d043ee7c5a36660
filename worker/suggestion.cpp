#include "worker/suggestion.hpp"

#include <boost/algorithm/string/replace.hpp>

namespace quire {

std::string suggested(std::string_view options, std::string_view command, std::string_view words) {
  std::string text = "`quire ";
  text.append(command).append(options);
  if (!words.empty()) text.append(" ").append(words);
  return text + "`";
}

std::string shell_word(std::string_view word) {
  constexpr std::string_view plain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789%+,-./:=@_";
  if (!word.empty() && word.find_first_not_of(plain) == word.npos) return std::string(word);
  std::string quoted = "'";
  quoted += boost::algorithm::replace_all_copy(std::string(word), "'", "'\\''");
  return quoted += '\'';
}

}  // namespace quire
