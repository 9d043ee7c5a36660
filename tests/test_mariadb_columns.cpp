#include "worker/mariadb_columns.hpp"

#include <doctest/doctest.h>

using namespace quire;

TEST_CASE("mariadb columns: cut_to") {
  SUBCASE("a text that fits stays as it is") { CHECK(cut_to("whole", 5, "x") == "whole"); }
  SUBCASE("of one that does not, the beginning and the end are left, and the line counts what is missing") {
    const std::string cut =
        cut_to(std::string(100, 'a') + std::string(100, 'z'), 110, "the limit is 110 bytes");
    CHECK(cut.size() <= 110);
    CHECK(cut.starts_with("a"));
    CHECK(cut.ends_with("z"));
    const std::string line = cut.substr(cut.find('\n'), cut.rfind('\n') + 1 - cut.find('\n'));
    CHECK(line == "\n[quire: " + std::to_string(200 - (cut.size() - line.size())) +
                      " bytes are missing here: the limit is 110 bytes]\n");
  }
  SUBCASE("no character is cut") {
    std::string text;
    for (int i = 0; i < 100; ++i) text += "\U0001F4DC";
    for (std::size_t limit = 80; limit < 120; ++limit) {
      const std::string cut = cut_to(text, limit, "x");
      CHECK(cut.size() <= limit);
      CHECK(TextColumn{}.readable(cut) == cut);
    }
  }
  SUBCASE("there may be no room at all") {
    CHECK(cut_to("abc", 0, "x").find("3 bytes") != std::string::npos);
  }
}
