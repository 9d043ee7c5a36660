#include <unistd.h>

#include <set>

#include <doctest/doctest.h>

#include "common/command_line.hpp"
#include "tests/support/temporary_folder.hpp"
#include "worker/commands/command.hpp"
#include "worker/commands/line_reader.hpp"
#include "worker/commands/task_input.hpp"
#include "worker/submitting.hpp"

using namespace quire;
using namespace std::chrono_literals;
using test::TemporaryFolder;
using Form = LineInput::Form;

namespace {

std::vector<Task> read_all(TaskInput& input) {
  std::vector<Task> tasks;
  while (!input.at_end()) {
    if (auto task = input.next()) tasks.push_back(std::move(*task));
  }
  return tasks;
}

std::vector<Task> read_lines(const std::string& content, Form form = Form::arguments, char delimiter = '\n',
                             const std::vector<std::string>& words = {}) {
  const TemporaryFolder folder;
  return read_all(*tasks_of_lines({folder.write("tasks", content), form, delimiter, words}));
}

std::string error_of_json(const std::string& content) {
  const TemporaryFolder folder;
  const std::string file = folder.write("tasks", content);
  try {
    read_all(*tasks_of_lines({file, Form::json, '\n', {}}));
  } catch (const UsageError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("submit: words") {
  SUBCASE("the worker's splitting gives back the words that were quoted") {
    const std::vector<std::vector<std::string>> lists = {
        {"sha256", "/a/plain-file_1.txt"},
        {"", "two words", "", "tab\there", "line\nend"},
        {"it's", "\"quoted\"", "'", "\"", "'\"'\"'", "\\", "back\\slash", "end\\"},
        {"`", "a`b", "a\\`b", "\\\\`", "\\`\\`", "`\\"},
        {"$HOME", "*", "#", "a;b", "caf\xc3\xa9", "\xf0\x9f\x93\x9c \xe2\x80\xa8"},
        {},
    };
    for (const auto& words : lists) {
      const std::string quoted = quote_words(words);
      CAPTURE(quoted);
      CHECK(parse_arguments(quoted, {}) == words);
    }
  }

  SUBCASE("they are one task, with an id of its own") {
    const auto first = task_of_words({"a", "b c"});
    const auto second = task_of_words({"a", "b c"});
    CHECK(first->total() == 1);
    const Task task = first->next().value();
    CHECK(task.arguments == "a 'b c'");
    CHECK(task.id.size() == 36);
    CHECK(task.id != second->next().value().id);
    CHECK(parse_rfc3339(task.created_date).has_value());
    CHECK(first->at_end());
    CHECK(!first->next());
  }
}

TEST_CASE("submit: lines") {
  SUBCASE("each line that is not empty is a task's arguments, as it stands") {
    const auto tasks = read_lines("a \"b c\"\n\n  %sharedPath%x\nlast line without an end");
    REQUIRE(tasks.size() == 3);
    CHECK(tasks[0].arguments == "a \"b c\"");
    CHECK(tasks[1].arguments == "  %sharedPath%x");
    CHECK(tasks[2].arguments == "last line without an end");
    std::set<std::string> ids;
    for (const Task& task : tasks) ids.insert(task.id);
    CHECK(ids.size() == 3);
  }

  SUBCASE("as a word, a line is quoted and stands after the other words") {
    const auto tasks = read_lines("a file\nit's\n", Form::word, '\n', {"sha256", "x y"});
    REQUIRE(tasks.size() == 2);
    CHECK(parse_arguments(tasks[0].arguments, {}) == std::vector<std::string>{"sha256", "x y", "a file"});
    CHECK(parse_arguments(tasks[1].arguments, {}) == std::vector<std::string>{"sha256", "x y", "it's"});
  }

  SUBCASE("lines that end with NUL may hold line feeds") {
    const auto tasks = read_lines(std::string("a\nb\0c\0", 6), Form::word, '\0');
    REQUIRE(tasks.size() == 2);
    CHECK(parse_arguments(tasks[0].arguments, {}) == std::vector<std::string>{"a\nb"});
  }

  SUBCASE("a line that is not UTF-8 is a task that has failed already") {
    const auto tasks = read_lines("good\nbad \xff\ngood");
    REQUIRE(tasks.size() == 3);
    CHECK(!tasks[0].result);
    REQUIRE(tasks[1].result);
    CHECK(tasks[1].result->exit_code == 1);
    CHECK(tasks[1].result->error.find("not UTF-8") != std::string::npos);
  }

  SUBCASE("the number of tasks in a file is known, and that of a long one too") {
    const TemporaryFolder folder;
    std::string content;
    for (int i = 0; i < 50'000; ++i) content += "line " + std::to_string(i) + (i % 3 == 0 ? "\n\n" : "\n");
    const auto input = tasks_of_lines({folder.write("tasks", content), Form::arguments, '\n', {}});
    CHECK(input->total() == 50'000);
    const auto tasks = read_all(*input);
    REQUIRE(tasks.size() == 50'000);
    CHECK(tasks.back().arguments == "line 49999");
  }

  SUBCASE("a file that is not there is named") {
    try {
      tasks_of_lines({"/nowhere/tasks", Form::arguments, '\n', {}});
      FAIL("it was opened");
    } catch (const UsageError& error) {
      CHECK(std::string(error.what()).find("/nowhere/tasks") != std::string::npos);
    }
  }
}

TEST_CASE("submit: JSON lines") {
  SUBCASE("an object says what it wants to, a string is the arguments") {
    const auto tasks = read_lines(
        "{\"id\": \"my id\", \"arguments\": \"a\\tb\", \"wants_output\": false, \"created_date\": "
        "\"2024-08-04T21:34:35Z\"}\n"
        "{\"arguments\": \"\"}\n\"caf\\u00e9\"\n",
        Form::json);
    REQUIRE(tasks.size() == 3);
    CHECK(tasks[0].id == "my id");
    CHECK(tasks[0].arguments == "a\tb");
    CHECK(!tasks[0].wants_output);
    CHECK(tasks[0].created_date == "2024-08-04T21:34:35Z");
    CHECK(tasks[1].wants_output);
    CHECK(tasks[1].id.size() == 36);
    CHECK(tasks[2].arguments == "caf\xc3\xa9");
  }

  SUBCASE("what is not understood is told with its line") {
    const char* const bad[] = {"{",
                               "7",
                               "{}",
                               "{\"arguments\": 7}",
                               "{\"arguments\": \"\", \"id\": 7}",
                               "{\"arguments\": \"\", \"id\": \"\"}",
                               "{\"arguments\": \"\", \"wants_output\": 1}",
                               "{\"arguments\": \"\", \"created\": \"\"}"};
    for (const char* line : bad) {
      CAPTURE(line);
      const std::string error = error_of_json("\"good\"\n" + std::string(line) + "\n");
      CAPTURE(error);
      CHECK(error.starts_with("Line 2 of "));
    }
  }
}

TEST_CASE("line reader: a pipe is not waited for") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const std::string path = "/dev/fd/" + std::to_string(ends[0]);
  LineReader reader(path, '\n');
  CHECK(!reader.is_regular());
  const auto send = [&](std::string_view text) { REQUIRE(::write(ends[1], text.data(), text.size()) > 0); };

  CHECK(!reader.next());
  send("first\nsec");
  CHECK(reader.next() == "first");
  CHECK(!reader.next());
  CHECK(!reader.at_end());
  reader.wait(1ms);
  send("ond\nthird");
  CHECK(reader.next() == "second");
  CHECK(reader.line() == 2);
  ::close(ends[1]);
  CHECK(reader.next() == "third");
  CHECK(!reader.next());
  CHECK(reader.at_end());
  ::close(ends[0]);
}
