#include "common/command_line.hpp"

#include <doctest/doctest.h>

using namespace quire;
using Words = std::vector<std::string>;

TEST_CASE("replace_placeholders") {
  const Placeholders values{.shared_path = "/shared/",
                            .client_scripts_directory = "/scripts/",
                            .client_assets_directory = "/assets/",
                            .date = "2024-08-04T21:44:55.661575+00:00",
                            .task_uuid = "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
                            .job_created_date = "2024-08-04 21:34:35.241750+00:00"};

  SUBCASE("every placeholder is replaced, wherever and as often as it stands") {
    CHECK(replace_placeholders("%sharedPath%a %sharedPath%b", values) == "/shared/a /shared/b");
    CHECK(replace_placeholders("%clientScriptsDirectory%x%clientAssetsDirectory%y", values) ==
          "/scripts/x/assets/y");
    CHECK(replace_placeholders("%date%|%taskUUID%|%jobCreatedDate%", values) ==
          values.date + "|" + values.task_uuid + "|" + values.job_created_date);
  }
  SUBCASE("what is no placeholder stays") {
    CHECK(replace_placeholders("100% %SHAREDPATH% %sharedPath %%", values) ==
          "100% %SHAREDPATH% %sharedPath %%");
    CHECK(replace_placeholders("", values).empty());
  }
  SUBCASE("a value is neither quoted nor escaped") {
    Placeholders odd = values;
    odd.shared_path = "/a b\\\"c/";
    CHECK(replace_placeholders("\"%sharedPath%x\"", odd) == "\"/a b\\\"c/x\"");
  }
  SUBCASE(
      "a later placeholder in an earlier one's value is replaced, an earlier one in a later one's is not") {
    Placeholders odd = values;
    odd.shared_path = "%taskUUID%";
    odd.task_uuid = "%sharedPath%";
    CHECK(replace_placeholders("%sharedPath%", odd) == "%sharedPath%");
  }
  SUBCASE("a percent sign that two placeholders could claim goes to the one that is replaced first") {
    CHECK(replace_placeholders("%taskUUID%sharedPath%", values) == "%taskUUID/shared/");
  }
}

TEST_CASE("split_shell_words") {
  SUBCASE("white space is blank, tab, carriage return and newline, and nothing else") {
    CHECK(split_shell_words(" a\tb\r\nc ") == Words{"a", "b", "c"});
    CHECK(split_shell_words("a\vb\fc\u0085d\u00a0e\u2028f") == Words{"a\vb\fc\u0085d\u00a0e\u2028f"});
  }
  SUBCASE("no text has no words") {
    CHECK(split_shell_words("").empty());
    CHECK(split_shell_words(" \t\n").empty());
  }
  SUBCASE("a pair of quotes is an empty word by itself and nothing inside of a word") {
    CHECK(split_shell_words("\"\"") == Words{""});
    CHECK(split_shell_words("'' \"\" ''") == Words{"", "", ""});
    CHECK(split_shell_words("a''b\"\"c") == Words{"abc"});
  }
  SUBCASE("quotes join what stands beside them") {
    CHECK(split_shell_words("a\"b c\"'d e'f") == Words{"ab cd ef"});
    CHECK(split_shell_words("\"it's\" '\"'") == Words{"it's", "\""});
  }
  SUBCASE("outside of quotes a backslash makes the next character plain, a newline too") {
    CHECK(split_shell_words("a\\ b \\\" \\' \\\\ \\\n") == Words{"a b", "\"", "'", "\\", "\n"});
  }
  SUBCASE("between double quotes a backslash escapes double quote and backslash only") {
    CHECK(split_shell_words(R"("a\"b\\c\$d\'e\ f\`g")") == Words{R"(a"b\c\$d\'e\ f\`g)"});
  }
  SUBCASE("between single quotes a backslash is itself") {
    CHECK(split_shell_words(R"('a\b\')") == Words{R"(a\b\)"});
  }
  SUBCASE("there are no comments") { CHECK(split_shell_words("a#b # c") == Words{"a#b", "#", "c"}); }
  SUBCASE("a zero byte is a character like any other") {
    CHECK(split_shell_words(std::string_view("a\0b", 3)) == Words{std::string("a\0b", 3)});
  }
  SUBCASE("an open quotation is an error in Python's words") {
    for (const char* open : {"\"x", "'x", "a 'b\"", "\"", "\"\\\""}) {
      CAPTURE(open);
      CHECK_THROWS_WITH_AS(split_shell_words(open), "No closing quotation", UnbalancedArguments);
    }
  }
  SUBCASE("a backslash at the end is an error in Python's words") {
    for (const char* open : {"x\\", "\\", "\"x\\"}) {
      CAPTURE(open);
      CHECK_THROWS_WITH_AS(split_shell_words(open), "No escaped character", UnbalancedArguments);
    }
  }
}

TEST_CASE("drop_backslashes_before_backticks") {
  SUBCASE("one backslash goes, and only immediately before a backtick") {
    CHECK(drop_backslashes_before_backticks(R"(a\`b)") == "a`b");
    CHECK(drop_backslashes_before_backticks(R"(a\\`b)") == R"(a\`b)");
    CHECK(drop_backslashes_before_backticks(R"(\`\`)") == "``");
    CHECK(drop_backslashes_before_backticks(R"(\$`\ `\)") == R"(\$`\ `\)");
  }
}

TEST_CASE("parse_arguments") {
  SUBCASE("the backtick rule is what the contract's table says") {
    for (const char* arguments : {R"("a\`b")", R"(a\`b)", R"('a\`b')", R"("a\\`b")"}) {
      CAPTURE(arguments);
      CHECK(parse_arguments(arguments, {}) == Words{"a`b"});
    }
    CHECK(parse_arguments(R"("a\$b")", {}) == Words{R"(a\$b)"});
  }
  SUBCASE("placeholders are replaced before the words are split") {
    const Placeholders values{.shared_path = "/two words/",
                              .client_scripts_directory = {},
                              .client_assets_directory = {},
                              .date = {},
                              .task_uuid = {},
                              .job_created_date = "2024-08-04 21:34:35+00:00"};
    CHECK(parse_arguments("\"%sharedPath%x\" %sharedPath%x", values) ==
          Words{"/two words/x", "/two", "words/x"});
    CHECK(parse_arguments("%jobCreatedDate%", values) == Words{"2024-08-04", "21:34:35+00:00"});
  }
}
