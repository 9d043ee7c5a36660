#include "common/text.hpp"

#include <doctest/doctest.h>

using namespace quire;
using namespace std::string_literals;

TEST_CASE("is_utf8") {
  SUBCASE("characters of every length are UTF-8, from the first to the last of each") {
    CHECK(is_utf8(""));
    CHECK(is_utf8("\0 plain ASCII of more than eight bytes \x7f"s));
    CHECK(is_utf8("\u0080\u07ff"));
    CHECK(is_utf8("\u0800\ud7ff\ue000\uffff"));
    CHECK(is_utf8("\U00010000\U0010ffff"));
  }
  SUBCASE("overlong forms, surrogates and what is above U+10FFFF are not") {
    for (const auto* bytes : {"\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xed\xa0\x80",
                              "\xed\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\x80"}) {
      CAPTURE(bytes);
      CHECK_FALSE(is_utf8(bytes));
    }
  }
  SUBCASE("a character that is cut off is not, wherever in a word of eight bytes it stands") {
    for (std::size_t before = 0; before < 20; ++before) {
      CAPTURE(before);
      CHECK(is_utf8(std::string(before, 'x') + "é" + std::string(before, 'y')));
      CHECK_FALSE(is_utf8(std::string(before, 'x') + "\xc3"));
      CHECK_FALSE(is_utf8(std::string(before, 'x') + "\xe2\x82" + std::string(before, 'y')));
    }
  }
}

TEST_CASE("to_utf8") {
  SUBCASE("text that is UTF-8 comes back unchanged") {
    const std::string text = "plain, é, 漢字, 😀, \0 and \x7f"s;
    CHECK(to_utf8(text) == text);
    CHECK(to_utf8("").empty());
  }
  SUBCASE("one U+FFFD stands for each maximal invalid part, as in Python") {
    CHECK(to_utf8("caf\xe9!") == "caf\uFFFD!");
    CHECK(to_utf8("\xe2\x82") == "\uFFFD");
    CHECK(to_utf8("\xe2\x82z") == "\uFFFDz");
    CHECK(to_utf8("\xf0\x9f\x98") == "\uFFFD");
    CHECK(to_utf8("\xf0\x9f\x98\xf0\x9f\x98\x80") == "\uFFFD\U0001F600");
    CHECK(to_utf8("\xc0\xaf") == "\uFFFD\uFFFD");
    CHECK(to_utf8("\xed\xa0\x80") == "\uFFFD\uFFFD\uFFFD");
    CHECK(to_utf8("\xf4\x90\x80\x80") == "\uFFFD\uFFFD\uFFFD\uFFFD");
    CHECK(to_utf8("\x80\xff") == "\uFFFD\uFFFD");
  }
  SUBCASE("whatever the bytes, the result is UTF-8") {
    for (int first = 0; first < 256; ++first) {
      for (int second = 0; second < 256; ++second) {
        const std::string bytes = {static_cast<char>(first), static_cast<char>(second), 'x'};
        if (!is_utf8(to_utf8(bytes))) FAIL("bytes " << first << ' ' << second);
      }
    }
  }
}

TEST_CASE("excerpt") {
  SUBCASE("a text that fits is whole") {
    CHECK(excerpt("four", 4) == "four");
    CHECK(excerpt("", 0).empty());
  }
  SUBCASE("a longer one ends between two characters, with an ellipsis") {
    CHECK(excerpt("fives", 4) == "five…");
    CHECK(excerpt("né", 2) == "n…");
    CHECK(excerpt("né!", 3) == "né…");
  }
}
