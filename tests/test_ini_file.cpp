#include <doctest/doctest.h>

#include "tests/support/temporary_folder.hpp"
#include "worker/ini_file.hpp"
#include "worker/settings.hpp"

using namespace quire;
using namespace std::string_literals;

namespace {

IniFile read(std::string_view text) {
  const test::TemporaryFolder folder;
  return read_ini_file(folder.write("a.conf", text));
}

// The sentence with which the text is refused, without the name of the file; empty when it is accepted.
std::string refusal(std::string_view text) {
  const test::TemporaryFolder folder;
  const std::string path = folder.write("a.conf", text);
  try {
    read_ini_file(path);
    return "";
  } catch (const ConfigurationError& error) {
    const std::string sentence = error.what();
    CHECK(sentence.starts_with(path + ":"));
    return sentence.substr(path.size() + 1);
  }
}

}  // namespace

TEST_CASE("ini_file") {
  SUBCASE("every entry has its section, key, value and line") {
    const IniFile file = read("; a comment\n[one]\n\n  a = 1\r\n# another\n  b=2 ; no comment\n[two]\nc =\n");
    REQUIRE(file.entries.size() == 3);
    CHECK(file.entries[0].section == "one");
    CHECK(file.entries[0].key == "a");
    CHECK(file.entries[0].value == "1");
    CHECK(file.entries[0].line == 4);
    CHECK(file.entries[1].value == "2 ; no comment");
    CHECK(file.entries[1].line == 6);
    CHECK(file.entries[2].section == "two");
    CHECK(file.entries[2].value == "");
    CHECK(file.at(file.entries[2].line) == file.path + ":8");
  }
  SUBCASE("dots and capitals in names are kept") {
    const IniFile file = read("[function:Copy_v0.0]\nverifyPREMISchecksums_v0.0 = a.b\n");
    REQUIRE(file.entries.size() == 1);
    CHECK(file.entries[0].section == "function:Copy_v0.0");
    CHECK(file.entries[0].key == "verifyPREMISchecksums_v0.0");
    CHECK(file.entries[0].value == "a.b");
  }
  SUBCASE("a section without keys is seen") {
    const IniFile file = read("[empty]\n[other]\n");
    REQUIRE(file.sections.size() == 2);
    CHECK(file.sections[0].name == "empty");
    CHECK(file.sections[1].line == 2);
    CHECK(file.entries.empty());
  }
  SUBCASE("a value may hold the signs of the format") {
    CHECK(read("[a]\nb = x = [y]: #z\n").entries[0].value == "x = [y]: #z");
  }
  SUBCASE("an empty file has nothing") { CHECK(read("").sections.empty()); }
  SUBCASE("the last line needs no end") { CHECK(read("[a]\nb = c").entries[0].value == "c"); }
  SUBCASE("the same key may stand in two sections") {
    CHECK(read("[a]\nk = 1\n[b]\nk = 2\n").entries.size() == 2);
  }
}

TEST_CASE("ini_file: what is refused, with its line") {
  SUBCASE("a line without =") {
    CHECK(refusal("[a]\nb\n") == "2: expected KEY = VALUE, a [section] or a comment.");
  }
  SUBCASE("a line without a key") { CHECK(refusal("[a]\n= b\n").starts_with("2: expected KEY = VALUE")); }
  SUBCASE("a colon in the place of =, with and without a = behind it") {
    CHECK(refusal("[a]\nb: c\n").starts_with("2: expected KEY = VALUE"));
    CHECK(refusal("[a]\nb: c = d\n").starts_with("2: expected KEY = VALUE"));
  }
  SUBCASE("a value that goes on in an indented line") {
    CHECK(refusal("[a]\nb = c\n  d = e\n").starts_with("3: the line is indented"));
    CHECK(refusal("[a]\nb = c\n\n# x\n\td\n").starts_with("5: the line is indented"));
  }
  SUBCASE("a key before the first section") {
    CHECK(refusal("\na = b\n[c]\n") == "2: \"a\" stands before the first [section].");
  }
  SUBCASE("a section that is not closed") {
    CHECK(refusal("[a\n") == "1: the section's closing ] is missing.");
  }
  SUBCASE("something after a section") { CHECK(refusal("[a] b = c\n").starts_with("1: something follows")); }
  SUBCASE("a key that stands twice, with both lines") {
    CHECK(refusal("[a]\nb = 1\nc = 2\nb = 3\n") ==
          "4: \"b\" stands already on line 2; remove one of the two.");
  }
  SUBCASE("a section that stands twice, with both lines, also when it is empty") {
    CHECK(refusal("[a]\nb = 1\n[c]\n[a]\n") == "4: section [a] stands already on line 1; join the two.");
    CHECK(refusal("[a]\n[a]\n") == "2: section [a] stands already on line 1; join the two.");
  }
  SUBCASE("Python's defaults for all sections") { CHECK(refusal("[DEFAULT]\n").starts_with("1: [DEFAULT]")); }
  SUBCASE("a carriage return within a line") {
    CHECK(refusal("[a]\nb = 1\rc = 2\n").starts_with("2: the line holds"));
  }
  SUBCASE("a NUL") { CHECK(refusal("[a]\nb = \0\n"s).starts_with("2: the line holds")); }
  SUBCASE("a file that is not there, or is a folder") {
    const test::TemporaryFolder folder;
    CHECK_THROWS_WITH_AS(
        read_ini_file((folder / "none").string()),
        ((folder / "none").string() + ": cannot be read: No such file or directory.").c_str(),
        ConfigurationError);
    CHECK_THROWS_WITH_AS(read_ini_file(folder.path().string()),
                         (folder.path().string() + ": cannot be read: Is a directory.").c_str(),
                         ConfigurationError);
  }
}
