// Cells of CSV, RFC 4180.
#pragma once

#include <string>
#include <string_view>

#include "common/text.hpp"

namespace quire {

inline std::string csv_cell(std::string_view text) {
  const std::string clean = to_utf8(text);
  if (clean.find_first_of(",\"\r\n") == std::string::npos) return clean;
  std::string cell = "\"";
  for (const char c : clean) {
    if (c == '"') cell += '"';
    cell += c;
  }
  return cell + '"';
}

// The same for a file that somebody opens in a spreadsheet, which would run what begins like a formula: the
// text then gets an apostrophe before it, which spreadsheets take for "this is text". White space before the
// sign does not hide it, nor do the signs' full-width forms; a minus before a number is no exception, since
// formulas begin so too.
inline std::string spreadsheet_cell(std::string_view text) {
  std::string safe = to_utf8(text);
  const std::size_t begin = safe.find_first_not_of(" \t\r\n\v\f");
  const std::string_view rest =
      begin == std::string::npos ? std::string_view() : std::string_view(safe).substr(begin);
  bool formula = !safe.empty() && std::string_view("\t\r\n").find(safe.front()) != std::string_view::npos;
  for (const std::string_view sign : {"=", "+", "-", "@", "\uFF1D", "\uFF0B", "\uFF0D", "\uFF20"}) {
    formula = formula || rest.starts_with(sign);
  }
  if (formula) safe.insert(safe.begin(), '\'');
  return csv_cell(safe);
}

}  // namespace quire
