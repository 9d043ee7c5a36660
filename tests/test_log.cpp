#include "worker/log.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <stdexcept>
#include <string>

#include <spdlog/spdlog.h>

#include "common/text.hpp"
#include "tests/support/temporary_folder.hpp"
#include "worker/batch_log.hpp"
#include "worker/log_line.hpp"
#include "worker/log_output.hpp"

using namespace quire;
using namespace std::chrono;
using namespace std::string_literals;

namespace {

const Timestamp moment = sys_days(2024y / August / 4) + 21h + 44min + 55s + 661575us;

logs::Event event_of(std::string_view message) {
  return {.time = moment, .level = "info", .room = "batch", .message = message};
}

// A log in a file of its own while a test runs.
struct Log {
  explicit Log(logs::Options options = {}) {
    options.file = path;
    logs::set_up(options);
  }
  ~Log() { logs::set_up({}); }
  std::string text() const { return test::read_file(path); }

  const test::TemporaryFolder folder;
  const std::string path = folder / "quire.log";
};

Task answered(const std::string& id, std::int64_t exit_code, const std::string& error = {}) {
  Task task;
  task.id = id;
  task.arguments = "a b";
  task.result.emplace().exit_code = exit_code;
  task.result->error = error;
  return task;
}

}  // namespace

TEST_CASE("log: a line") {
  SUBCASE("time, level, room and message") {
    const std::string line = logs::text_line(event_of("H:host:1 hello: 1 task"));
    CHECK(std::regex_match(
        line, std::regex(R"(2024-08-0\d \d\d:\d\d:55\.661 info batch H:host:1 hello: 1 task\n)")));
  }
  SUBCASE("it is one line that commands no terminal, whatever the message holds") {
    CHECK(logs::bare_line(event_of("a\nb\r\tc\x1b[31m\x7f\0\u009b é"s)) ==
          "a\\nb\\r\tc\\x1b[31m\\x7f\\x00\\x9b é\n");
    CHECK(logs::bare_line(event_of("caf\xe9\xff")) == "caf\uFFFD\uFFFD\n");
    CHECK(logs::bare_line(event_of("cut \xc2")) == "cut \uFFFD\n");
  }
  SUBCASE("JSON has a field for each thing that is known, and is UTF-8 whatever the message holds") {
    logs::Event event = event_of("a\n\"b\" \xff\x01");
    event.job = "H:host:1";
    event.function = "hello";
    CHECK(logs::json_line(event) ==
          R"({"time":"2024-08-04T21:44:55.661575+00:00","level":"info","room":"batch","job":"H:host:1",)"
          R"("function":"hello","message":"a\n\"b\" )"
          "\uFFFD\\u0001\"}\n");
  }
}

TEST_CASE("log: where the lines go") {
  const test::TemporaryFolder folder;
  const std::string path = folder / "quire.log";
  SUBCASE("a file is appended to, and made anew when it has been moved away or removed") {
    folder.write("quire.log", "before\n");
    logs::Output output(path);
    output.write("one\n");
    std::filesystem::rename(path, folder / "quire.log.1");
    output.write("two\n");
    std::filesystem::remove(path);
    output.write("three\n");
    CHECK(test::read_file(folder / "quire.log.1") == "before\none\n");
    CHECK(test::read_file(path) == "three\n");
  }
  SUBCASE("a file that was made empty is written from its beginning") {
    logs::Output output(path);
    output.write("one\n");
    std::filesystem::resize_file(path, 0);
    output.write("two\n");
    CHECK(test::read_file(path) == "two\n");
  }
  SUBCASE("where the folder has gone, what was the file takes the lines until there is a new one") {
    std::filesystem::create_directory(folder / "logs");
    logs::Output output(folder / "logs/quire.log");
    std::filesystem::rename(folder / "logs", folder / "old");
    output.write("one\n");
    std::filesystem::create_directory(folder / "logs");
    output.write("two\n");
    CHECK(test::read_file(folder / "old/quire.log") == "one\n");
    CHECK(test::read_file(folder / "logs/quire.log") == "two\n");
  }
  SUBCASE("a file that cannot be opened is refused with a sentence") {
    CHECK_THROWS_WITH_AS(logs::Output{folder / "no folder/quire.log"},
                         doctest::Contains("cannot be opened: No such file or directory (log_file)."),
                         std::runtime_error);
  }
}

TEST_CASE("log: rooms") {
  SUBCASE("each has its own level") {
    const Log log({.level = "warning", .levels = {{"record", "debug"}, {"gearman", "off"}}});
    logs::record()->debug("record debug");
    logs::gearman()->error("gearman error");
    logs::batch()->info("batch info");
    logs::batch()->warn("batch warning");
    CHECK(log.text().find("debug record record debug\n") != std::string::npos);
    CHECK(log.text().find("warning batch batch warning\n") != std::string::npos);
    CHECK(log.text().find("gearman") == std::string::npos);
    CHECK(log.text().find("batch info") == std::string::npos);
  }
  SUBCASE("their names are the rooms") {
    CHECK(logs::batch()->name() == "batch");
    CHECK(logs::gearman()->name() == "gearman");
    CHECK(logs::host()->name() == "host");
    CHECK(logs::record()->name() == "record");
    CHECK(logs::web()->name() == "web");
    CHECK(logs::worker()->name() == "worker");
  }
  SUBCASE("what a thread is about is told in JSON until it is about that no more") {
    const Log log({.form = logs::Form::json});
    {
      const logs::About job("H:host:1", "hello");
      {
        const logs::About task("H:host:1", "hello", "an id");
        logs::batch()->info("inner");
      }
      logs::batch()->info("outer");
    }
    logs::batch()->info("none");
    CHECK(log.text().find(R"("job":"H:host:1","function":"hello","task":"an id","message":"inner"})") !=
          std::string::npos);
    CHECK(log.text().find(R"("job":"H:host:1","function":"hello","message":"outer"})") != std::string::npos);
    CHECK(log.text().find(R"("room":"batch","message":"none"})") != std::string::npos);
  }
}

TEST_CASE("log: a batch") {
  Batch batch;
  batch.function = "hello";
  batch.handle = "H:host:1";
  batch.tasks = {answered("good", 0), answered("bad", 3, "line 1\nline 2\xff"), answered("known", 4, "old")};
  batch.tasks[2].result->on_record = true;

  SUBCASE("is one sentence that names the tasks that failed") {
    const Log log;
    tell(batch, seconds(2), false);
    CHECK(
        log.text().ends_with("info batch H:host:1 hello: 3 tasks, 2 failed (bad, known), 2.000 s; 1 had been "
                             "run before, and are not run again\n"));
    CHECK(std::ranges::count(log.text(), '\n') == 1);
  }
  SUBCASE("with the output of failed tasks it has a line for each that failed now") {
    const Log log;
    tell(batch, seconds(2), true);
    CHECK(log.text().find("warning batch H:host:1 hello: task bad failed with exit code 3; arguments: a b; "
                          "stderr: line 1\\nline 2\uFFFD\n") != std::string::npos);
    CHECK(log.text().find("old") == std::string::npos);
    CHECK(std::ranges::count(log.text(), '\n') == 2);
  }
  SUBCASE("at debug it has a line for every task") {
    const Log log({.levels = {{"batch", "debug"}}});
    tell(batch, seconds(2), false);
    CHECK(log.text().find("debug batch H:host:1 hello: task good: exit code 0\n") != std::string::npos);
    CHECK(log.text().find("H:host:1 hello: task known: exit code 4, from the record\n") != std::string::npos);
    CHECK(std::ranges::count(log.text(), '\n') == 4);
  }
  SUBCASE("of many that failed the first are named, and the others counted") {
    batch.tasks.clear();
    for (int i = 0; i < 200; ++i) batch.tasks.push_back(answered(std::string("t").append(std::to_string(i)), 1));
    const Log log;
    tell(batch, seconds(2), false);
    CHECK(log.text().find("t126, t127 and 72 more), 2.000 s") != std::string::npos);
  }
  SUBCASE("of a long output the end is told") {
    batch.tasks[1].result->error = std::string(1'000'000, 'x') + "the reason";
    const Log log;
    tell(batch, seconds(2), true);
    CHECK(log.text().size() < 40'000);
    CHECK(log.text().find("xxthe reason\n") != std::string::npos);
  }
}
