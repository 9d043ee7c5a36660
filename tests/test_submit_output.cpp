#include <algorithm>
#include <iostream>
#include <sstream>

#include <doctest/doctest.h>

#include "worker/commands/progress.hpp"
#include "worker/commands/result_output.hpp"

using namespace quire;

namespace {

Outcome make_outcome(std::int64_t exit_code, const std::string& output, const std::string& error = "") {
  Outcome outcome;
  outcome.task.id = "da4ef475-ab06-498d-a2f2-7f0a184060b4";
  outcome.task.arguments = "sha256 'a file'";
  TaskResult result;
  result.exit_code = exit_code;
  result.output = output;
  result.error = error;
  result.finished = parse_rfc3339("2024-08-04T21:44:55.661575+00:00");
  outcome.task.result = result;
  return outcome;
}

Outcome unanswered() {
  Outcome outcome = make_outcome(0, "");
  outcome.task.result.reset();
  outcome.problem = "No answer came.";
  return outcome;
}

std::string written(ResultFormat format, const std::vector<Outcome>& outcomes, std::size_t width = 120) {
  std::ostringstream stream;
  const auto output = make_result_output(format, stream, width);
  for (const Outcome& outcome : outcomes) output->add(outcome);
  output->finish();
  return stream.str();
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("one line") {
  CHECK(one_line("short", 10) == "short");
  CHECK(one_line("exactly 10", 10) == "exactly 10");
  CHECK(one_line("eleven char", 10) == "eleven ch…");
  CHECK(one_line("äöüßäöüßäöü", 5) == "äöüß…");
  CHECK(one_line("two\nlines\tand\n\n", 20) == "two lines and");
  CHECK(one_line("\033[31mred\x7f", 20) == "·[31mred·");
  CHECK(one_line("c1 \xc2\x9b!", 20) == "c1 ·!");
  CHECK(one_line("", 3).empty());
}

TEST_CASE("results as a table") {
  SUBCASE("a task is one line, whatever it wrote") {
    const std::string text =
        written(ResultFormat::table, {make_outcome(0, "first\nsecond " + std::string(500, 'x'))});
    CHECK(std::count(text.begin(), text.end(), '\n') == 2);
    CHECK(contains(text, "0      21:44:55  da4ef475-ab06-498d-a2f2-7f0a184060b4  sha256 'a file'"));
    CHECK(contains(text, "first second xxx"));
    CHECK(contains(text, "…"));
  }
  SUBCASE("no line is wider than asked for") {
    for (const std::size_t width : {60, 80, 120, 200}) {
      CAPTURE(width);
      Outcome outcome = make_outcome(0, std::string(500, 'x'));
      outcome.task.arguments = std::string(500, 'y');
      std::istringstream lines(written(ResultFormat::table, {outcome}, width));
      for (std::string line; std::getline(lines, line);) {
        CHECK(std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; }) <=
              static_cast<long>(width));
      }
    }
  }
  SUBCASE("failures are told in full, the first few of them") {
    std::vector<Outcome> outcomes(5, make_outcome(3, "said\nthis", "why \033[1m\nand how"));
    outcomes.insert(outcomes.begin(), unanswered());
    const std::string text = written(ResultFormat::table, outcomes);
    CHECK(contains(text, "has no result: No answer came.\n"));
    CHECK(contains(
        text,
        "failed with exit code 3.\n  arguments\n    sha256 'a file'\n  stderr\n    why ·[1m\n    and how\n"
        "  stdout\n    said\n    this\n"));
    CHECK(contains(text, "and 3 more tasks that failed"));
    CHECK(!contains(text, "\033"));
  }
  SUBCASE("without a failure nothing follows the table") {
    CHECK(!contains(written(ResultFormat::table, {make_outcome(0, "x")}), "failed"));
  }
}

TEST_CASE("results as JSON lines") {
  CHECK(written(ResultFormat::json, {make_outcome(2, "a\n\"b\"", "caf\xc3\xa9")}) ==
        "{\"id\":\"da4ef475-ab06-498d-a2f2-7f0a184060b4\",\"arguments\":\"sha256 'a file'\",\"exit_code\":2,"
        "\"finished\":\"2024-08-04T21:44:55.661575+00:00\",\"stdout\":\"a\\n\\\"b\\\"\",\"stderr\":"
        "\"caf\xc3\xa9\"}\n");
  CHECK(
      written(ResultFormat::json, {unanswered()}) ==
      "{\"id\":\"da4ef475-ab06-498d-a2f2-7f0a184060b4\",\"arguments\":\"sha256 'a file'\",\"exit_code\":null,"
      "\"finished\":null,\"stdout\":\"\",\"stderr\":\"\",\"problem\":\"No answer came.\"}\n");
}

TEST_CASE("results as CSV") {
  const std::string header = "id,arguments,exit_code,finished,stdout,stderr,problem\n";
  CHECK(written(ResultFormat::csv, {}) == header);
  CHECK(written(ResultFormat::csv, {make_outcome(0, "a,b\n\"c\"")}) ==
        header +
            "da4ef475-ab06-498d-a2f2-7f0a184060b4,sha256 'a file',0,2024-08-04T21:44:55.661575+00:00,"
            "\"a,b\n\"\"c\"\"\",,\n");
  CHECK(written(ResultFormat::csv, {unanswered()}) ==
        header + "da4ef475-ab06-498d-a2f2-7f0a184060b4,sha256 'a file',,,,,No answer came.\n");
}

// What tasks write once went to spreadsheets as formulas.
TEST_CASE("results as CSV: no cell is a formula") {
  CHECK(written(ResultFormat::csv, {make_outcome(1, "=HYPERLINK(\"x\")", "@SUM(1)")})
            .ends_with(",\"'=HYPERLINK(\"\"x\"\")\",'@SUM(1),\n"));
}

TEST_CASE("progress: lines where there is no terminal") {
  std::ostringstream text;
  std::streambuf* const before = std::cerr.rdbuf(text.rdbuf());
  {
    Progress progress(Progress::Mode::lines, std::chrono::seconds(0));
    for (const std::size_t done : {0, 0, 1, 1, 1, 2})
      progress.update({.done = done, .failed = 0, .total = {}});
  }
  std::cerr.rdbuf(before);
  CHECK(std::ranges::count(text.str(), '\n') == 2);
  CHECK(text.str().starts_with("1 task, "));
  CHECK(text.str().find("\n2 tasks, ") != std::string::npos);
}

TEST_CASE("progress") {
  using namespace std::chrono_literals;
  CHECK(progress_text({.done = 0, .failed = 0, .total = {}, .elapsed = 0s}) == "0 tasks");
  CHECK(progress_text({.done = 12345, .failed = 2, .total = 100000, .elapsed = 5s}) ==
        "12,345 of 100,000 tasks, 2,469/s, 36 s left, 2 failed");
  CHECK(progress_text({.done = 3, .failed = 0, .total = 1000, .elapsed = 6s}) ==
        "3 of 1,000 tasks, 0.5/s, 33 min left");
  CHECK(progress_text({.done = 1, .failed = 0, .total = 10000, .elapsed = 1s}) ==
        "1 of 10,000 tasks, 1.0/s, 2 h 46 min left");
  CHECK(progress_text({.done = 10, .failed = 0, .total = 10, .elapsed = 1s}) == "10 of 10 tasks, 10/s");
  CHECK(progress_text({.done = 1000000, .failed = 0, .total = {}, .elapsed = 1s}) ==
        "1,000,000 tasks, 1,000,000/s");

  SUBCASE("the bar is as full as the work is done, and never wider than the terminal") {
    CHECK(progress_bar({.done = 5, .failed = 0, .total = 10, .elapsed = 0s}, 48) ==
          "[############............]  50 %  5 of 10 tasks");
    CHECK(progress_bar({.done = 10, .failed = 0, .total = 10, .elapsed = 0s}, 37) ==
          "[############] 100 %  10 of 10 tasks");
    for (std::size_t width = 1; width < 200; ++width) {
      CHECK(progress_bar({.done = 12345, .failed = 1, .total = 99999, .elapsed = 3s}, width).size() <= width);
    }
  }
  SUBCASE("without a total there is no bar") {
    CHECK(progress_bar({.done = 5, .failed = 0, .total = {}, .elapsed = 0s}, 80) == "5 tasks");
  }
}
