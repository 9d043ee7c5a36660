// Words that come out of an arguments string come out again when they are quoted and split once more.
#include "common/command_line.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace quire;
using fuzz::check;

namespace {

std::string quoted(const std::string& word) {
  std::string text = "'";
  for (const char c : word) {
    if (c == '\'') {
      text += "'\"'\"'";
    } else {
      text += c;
    }
  }
  return text += "'";
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(fuzz::text_of(data, size));
  static const Placeholders placeholders{"/shared/",   "/scripts/", "/assets/",
                                         "2024-08-04", "id",        "2024-08-04 21:34:35"};
  try {
    std::string again;
    const std::vector<std::string> words = split_shell_words(text);
    for (const std::string& word : words) again += quoted(word) + ' ';
    check(split_shell_words(again) == words, "quoted words split differently");

    std::vector<std::string> expected = split_shell_words(replace_placeholders(text, placeholders));
    for (std::string& word : expected) word = drop_backslashes_before_backticks(word);
    check(parse_arguments(text, placeholders) == expected, "the three steps are others than each by itself");
  } catch (const UnbalancedArguments&) {
  }
  return 0;
}
