// JSON as Python reads it: numbers without a limit, NaN and Infinity, halves of surrogate pairs. What is read
// is only looked at, so that a value is a plain tree.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace quire {

struct JsonValue;

struct JsonNull {};
struct JsonInteger {
  std::string digits;  // as Python shows it: "-12", "0"
};
using JsonList = std::vector<JsonValue>;
// In the order of the text. A key that comes again keeps its place and gets the later value.
using JsonObject = std::vector<std::pair<std::u32string, JsonValue>>;

struct JsonValue {
  std::variant<JsonNull, bool, JsonInteger, double, std::u32string, JsonList, JsonObject> value;

  const JsonList* list() const { return std::get_if<JsonList>(&value); }
  const JsonObject* object() const { return std::get_if<JsonObject>(&value); }
  const std::u32string* string() const { return std::get_if<std::u32string>(&value); }
  bool is_null() const { return std::holds_alternative<JsonNull>(value); }
};

// Throws std::invalid_argument, with what is wrong and where ("byte 17"), at what Python's json refuses: text
// that is not UTF-8 or begins with a byte order mark, anything that is not JSON, more than 4300 digits in an
// integer, and depths near 1000.
JsonValue read_json(std::string_view text);

// As Python shows the value: None, True, 1, 0.1, 'text', [1, 'a'], {'k': None}. The result is UTF-8.
std::string display(const JsonValue& value);

}  // namespace quire
