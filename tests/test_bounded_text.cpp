#include "common/bounded_text.hpp"

#include <doctest/doctest.h>

namespace quire {

namespace {

std::string bounded(const std::string& text, std::size_t limit, std::size_t piece) {
  BoundedText bounded(limit);
  for (std::size_t at = 0; at < text.size(); at += piece)
    bounded.append(std::string_view(text).substr(at, piece));
  return bounded.text();
}

}  // namespace

TEST_CASE("bounded text") {
  SUBCASE("a text within the limit is whole, however it comes") {
    for (std::size_t piece = 1; piece <= 11; ++piece) {
      CHECK(bounded("hello world", 11, piece) == "hello world");
      CHECK(bounded("hello world", 4096, piece) == "hello world");
      CHECK(bounded("hello world", 0, piece) == "hello world");
    }
  }
  SUBCASE("of a longer one head and tail are kept, and what is missing is counted") {
    std::string text;
    for (int i = 0; i < 5000; ++i) text += static_cast<char>('a' + i % 26);
    for (const std::size_t piece : {1, 7, 512, 1024, 1500, 5000}) {
      CAPTURE(piece);
      CHECK(bounded(text, 2048, piece) ==
            text.substr(0, 1024) + "\n[quire: 2952 bytes are missing here: output_limit is 2 KiB]\n" +
                text.substr(5000 - 1024));
    }
    BoundedText counted(2048);
    counted.append(text);
    CHECK(counted.missing() == 2952);
  }
  SUBCASE("a text is not cut for a few bytes, nor a second time") {
    CHECK(bounded(std::string(2048 + 100, 'x'), 2048, 7) == std::string(2048 + 100, 'x'));
    const std::string once = bounded(std::string(100'000, 'x'), 2048, 1000);
    CHECK(bounded(once, 2048, 100) == once);
  }
  SUBCASE("no character is cut in two") {
    std::string text;
    for (int i = 0; i < 1000; ++i) text += "\u20AC";
    for (std::size_t before = 0; before < 4; ++before) {
      CAPTURE(before);
      const std::string kept = bounded(std::string(before, 'x') + text, 1024, 100);
      const std::size_t line = kept.find("\n[quire: ");
      REQUIRE(line != kept.npos);
      CHECK((line - before) % 3 == 0);
      CHECK((kept.size() - kept.find("]\n") - 2) % 3 == 0);
    }
  }
  SUBCASE("bytes that are no text are kept as they are") {
    const std::string text(5000, '\x80');
    const std::string kept = bounded(text, 2048, 100);
    CHECK(kept.size() > 2040);
  }
}

}  // namespace quire
