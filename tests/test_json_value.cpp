#include <stdexcept>

#include <doctest/doctest.h>

#include "clientScripts/json_value.hpp"

namespace {

std::string shown(std::string_view text) { return quire::display(quire::read_json(text)); }

}  // namespace

TEST_CASE("json_value") {
  SUBCASE("what Python's json reads is read, and shown as Python shows it") {
    CHECK(shown(R"({"a": [1, -0, 2.50, 1e400, null, true], "b": {}})") ==
          "{'a': [1, 0, 2.5, inf, None, True], 'b': {}}");
    CHECK(shown("[NaN, Infinity, -Infinity]") == "[nan, inf, -inf]");
    CHECK(shown("[123456789012345678901234567890]") == "[123456789012345678901234567890]");
    CHECK(shown("1e99999999999") == "inf");
    CHECK(shown(R"("NaN \" 1e99999999999 \\")") == R"('NaN " 1e99999999999 \\')");
  }

  SUBCASE("a half of a surrogate pair is kept, a pair is one character") {
    CHECK(shown(R"("\ud83d\ude00")") == "'😀'");
    CHECK(shown(R"("\ud83d\ud83d\ude00\ude00x")") == R"('\ud83d😀\ude00x')");
    CHECK(shown(R"({"\udc00": 1})") == R"({'\udc00': 1})");
  }

  SUBCASE("of keys that are equal the last value counts, in the place of the first") {
    CHECK(shown(R"({"a": 1, "b": 2, "a": 3})") == "{'a': 3, 'b': 2}");
  }

  SUBCASE("what is not JSON is refused") {
    for (const char* text :
         {"", "[1,]", "[1]x", "01", "1.", "{NaN: 1}", "-NaN", "\"\t\"", "\xef\xbb\xbf[]", "\"\xff\"",
          "\"\xfe"
          "d800\"",
          "\"\\u12\"", "\"", "\"\\", "[", "nul", "{\"a\" 1}"}) {
      CAPTURE(text);
      CHECK_THROWS_AS(quire::read_json(text), std::invalid_argument);
    }
  }

  SUBCASE("depth has an end") {
    CHECK_NOTHROW(quire::read_json(std::string(900, '[') + std::string(900, ']')));
    CHECK_THROWS_AS(quire::read_json(std::string(2000, '[') + std::string(2000, ']')), std::invalid_argument);
  }
}
