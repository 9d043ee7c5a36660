// The C++ side of compare_with_python.py: one case a line on standard input, one answer a line on standard
// output. Strings are written in hexadecimal, so that any byte can be in them.
//
//   words 612062      →  words 61 62        (an empty word is "-")
//   words 22          →  error No closing quotation
//   text 61ff         →  text 61efbfbd
#include <iostream>
#include <string>
#include <string_view>

#include "common/command_line.hpp"
#include "common/text.hpp"

namespace {

std::string from_hex(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
  }
  return bytes;
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex += digits[byte / 16];
    hex += digits[byte % 16];
  }
  return hex;
}

std::string answer(std::string_view line) {
  const std::size_t space = line.find(' ');
  const std::string bytes = from_hex(line.substr(space + 1));
  if (line.substr(0, space) == "text") return "text " + to_hex(quire::to_utf8(bytes));
  try {
    std::string words = "words";
    for (const std::string& word : quire::parse_arguments(bytes, {})) {
      words += ' ' + (word.empty() ? "-" : to_hex(word));
    }
    return words;
  } catch (const quire::UnbalancedArguments& error) {
    return std::string("error ") + error.what();
  }
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) std::cout << answer(line) << '\n';
}
