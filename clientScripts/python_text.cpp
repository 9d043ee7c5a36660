#include "python_text.hpp"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <map>
#include <stdexcept>
#include <system_error>

namespace quire {
namespace {

constexpr bool is_surrogate(char32_t c) { return c >= 0xD800 && c <= 0xDFFF; }

// Neither a control, a format character, a surrogate, private, unassigned, nor a blank other than the space.
bool printable(char32_t c) {
  constexpr std::uint8_t unicode_of_python = 14;
  constexpr std::uint32_t unprintable =
      U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CS_MASK | U_GC_CO_MASK | U_GC_CN_MASK | U_GC_Z_MASK;
  if (c == ' ') return true;
  if ((U_GET_GC_MASK(static_cast<UChar32>(c)) & unprintable) != 0) return false;
  UVersionInfo age{};
  u_charAge(static_cast<UChar32>(c), age);
  return age[0] <= unicode_of_python;
}

void append_utf8(std::string& text, char32_t c) {
  std::array<char, U8_MAX_LENGTH> bytes{};
  int size = 0;
  U8_APPEND_UNSAFE(bytes.data(), size, c);
  text.append(bytes.data(), static_cast<std::size_t>(size));
}

// \xNN, \uNNNN or \UNNNNNNNN: the shortest that holds the character.
void append_escape(std::string& text, char32_t c) {
  constexpr std::string_view digits = "0123456789abcdef";
  text += c < 0x100 ? "\\x" : c < 0x10000 ? "\\u" : "\\U";
  for (int shift = c < 0x100 ? 4 : c < 0x10000 ? 12 : 28; shift >= 0; shift -= 4)
    text += digits[(c >> shift) & 15];
}

}  // namespace

std::u32string code_points(std::string_view bytes) {
  std::u32string text;
  text.reserve(bytes.size());
  for (std::size_t i = 0; i < bytes.size();) {
    const std::size_t start = i;
    UChar32 c = 0;
    U8_NEXT(bytes.data(), i, bytes.size(), c);
    if (c >= 0) {
      text += static_cast<char32_t>(c);
    } else {
      for (std::size_t stray = start; stray < i; ++stray)
        text += char32_t{0xDC00} + static_cast<unsigned char>(bytes[stray]);
    }
  }
  return text;
}

std::string encode_utf8(std::u32string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (const char32_t c : text) {
    if (is_surrogate(c)) {
      std::string escape;
      append_escape(escape, c);
      throw std::invalid_argument("the character " + escape +
                                  " is half of a pair and cannot be written as UTF-8.");
    }
    append_utf8(bytes, c);
  }
  return bytes;
}

std::string display(std::u32string_view text) {
  const bool double_quotes = text.find(U'\'') != text.npos && text.find(U'"') == text.npos;
  const char32_t quote = double_quotes ? U'"' : U'\'';
  std::string shown(1, static_cast<char>(quote));
  for (const char32_t c : text) {
    if (c == quote || c == U'\\') {
      shown += '\\';
      shown += static_cast<char>(c);
    } else if (c == U'\n') {
      shown += "\\n";
    } else if (c == U'\r') {
      shown += "\\r";
    } else if (c == U'\t') {
      shown += "\\t";
    } else if (printable(c)) {
      append_utf8(shown, c);
    } else {
      append_escape(shown, c);
    }
  }
  return shown += static_cast<char>(quote);
}

std::string display(std::string_view bytes) { return display(code_points(bytes)); }

std::string display(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number < 0 ? "-inf" : "inf";
  std::array<char, 32> digits{};
  const auto shortest = [&](std::chars_format format) {
    return std::string(digits.data(),
                       std::to_chars(digits.data(), digits.data() + digits.size(), number, format).ptr);
  };
  const std::string scientific = shortest(std::chars_format::scientific);
  const int exponent = std::stoi(scientific.substr(scientific.find('e') + 1));
  if (exponent < -4 || exponent >= 16) return scientific;
  const std::string fixed = shortest(std::chars_format::fixed);
  return fixed.find('.') == fixed.npos ? fixed + ".0" : fixed;
}

std::string display_system_error(int error) {
  static const std::map<int, std::string> classes{{EAGAIN, "BlockingIOError"},
                                                  {EALREADY, "BlockingIOError"},
                                                  {EINPROGRESS, "BlockingIOError"},
                                                  {EPIPE, "BrokenPipeError"},
                                                  {ESHUTDOWN, "BrokenPipeError"},
                                                  {ECHILD, "ChildProcessError"},
                                                  {ECONNABORTED, "ConnectionAbortedError"},
                                                  {ECONNREFUSED, "ConnectionRefusedError"},
                                                  {ECONNRESET, "ConnectionResetError"},
                                                  {EEXIST, "FileExistsError"},
                                                  {ENOENT, "FileNotFoundError"},
                                                  {EINTR, "InterruptedError"},
                                                  {EISDIR, "IsADirectoryError"},
                                                  {ENOTDIR, "NotADirectoryError"},
                                                  {EACCES, "PermissionError"},
                                                  {EPERM, "PermissionError"},
                                                  {ESRCH, "ProcessLookupError"},
                                                  {ETIMEDOUT, "TimeoutError"}};
  const auto found = classes.find(error);
  return (found == classes.end() ? "OSError" : found->second) + "(" + std::to_string(error) + ", " +
         display(std::string_view(std::generic_category().message(error))) + ")";
}

}  // namespace quire
