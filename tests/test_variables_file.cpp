#include "worker/variables_file.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

#include "tests/support/temporary_folder.hpp"
#include "worker/settings.hpp"

using namespace quire;

namespace {

// "NAME=value" each.
std::vector<std::string> read(const std::string& text) {
  const test::TemporaryFolder folder;
  std::vector<std::string> variables;
  for (const FileVariable& variable : read_variables_file(folder.write("variables", text)))
    variables.push_back(variable.name + "=" + variable.value);
  return variables;
}

std::string refusal(const std::string& text) {
  const test::TemporaryFolder folder;
  const std::string path = folder.write("variables", text);
  try {
    read_variables_file(path);
    return "";
  } catch (const ConfigurationError& error) {
    return error.what();
  }
}

using Variables = std::vector<std::string>;

}  // namespace

// What systemd makes of each, its EnvironmentFile= says.
TEST_CASE("variables file") {
  SUBCASE("comments, white space and empty values") {
    CHECK(read("# A=1\n; B=2\n\n  C = 3 \t\nD=\nE=a # b\n") == Variables{"C=3", "D=", "E=a # b"});
    CHECK(read("export A=1") == Variables{"A=1"});
    CHECK(read("A=1\r\nB=2\r\n") == Variables{"A=1", "B=2"});
  }
  SUBCASE("quotes") {
    CHECK(read("A=\"a b\"\nB='it\"s $x \\n'\nC=\"\\\"\\$x\\n\"\n") ==
          Variables{"A=a b", "B=it\"s $x \\n", "C=\"$x\\n"});
    CHECK(read("A=\"two\nlines\"\nB=1\n") == Variables{"A=two\nlines", "B=1"});
    CHECK(read("A=it's\n") == Variables{"A=it's"});
    CHECK(read("A=\"a\"'b' c\n") == Variables{"A=abc"});
  }
  SUBCASE("backslashes") { CHECK(read("A=a\\\nb\nB=c\\\\d\\ \n") == Variables{"A=ab", "B=c\\d "}); }
  SUBCASE("the line of each") {
    const test::TemporaryFolder folder;
    const auto variables = read_variables_file(folder.write("variables", "A='1\n2'\n\nB=a\\\nb\nC=3"));
    REQUIRE(variables.size() == 3);
    CHECK(variables[1].line == 4);
    CHECK(variables[2].line == 6);
  }
  SUBCASE("what is none of these is refused with its line") {
    CHECK(refusal("A=1\nwords\n").find("variables:2: expected NAME=value") != std::string::npos);
    CHECK(refusal("=1\n").find("variables:1: expected NAME=value") != std::string::npos);
    CHECK(refusal("A=1\nB='x\n\n").find("variables:2: the value begins with a quote") != std::string::npos);
    CHECK_THROWS_AS(read_variables_file("/nonexistent/file"), ConfigurationError);
    CHECK_THROWS_AS(read_variables_file("/tmp"), ConfigurationError);
  }
  SUBCASE("into the environment, over what is there") {
    const test::TemporaryFolder folder;
    ::setenv("QUIRE_TEST_VARIABLE", "old", 1);
    load_variables_file("-/nonexistent/file");
    CHECK_THROWS_AS(load_variables_file("/nonexistent/file"), ConfigurationError);
    load_variables_file(folder.write("variables", "QUIRE_TEST_VARIABLE='new value'\n"));
    CHECK(std::string(std::getenv("QUIRE_TEST_VARIABLE")) == "new value");
    ::unsetenv("QUIRE_TEST_VARIABLE");
  }
}
