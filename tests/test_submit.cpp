#include <algorithm>
#include <csignal>
#include <functional>
#include <iostream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <thread>

#include <doctest/doctest.h>

#include "tests/support/answering_worker.hpp"
#include "tests/support/gearmand.hpp"
#include "worker/commands/command.hpp"
#include "worker/commands/submission.hpp"

using namespace quire;
using namespace std::chrono_literals;
using test::AnsweringWorker;
using test::do_tasks;
using test::Gearmand;
using test::TemporaryFolder;

namespace {

// Everything that goes to a stream meanwhile.
class Captured {
 public:
  explicit Captured(std::ostream& stream) : stream_(stream), before_(stream.rdbuf(text_.rdbuf())) {}
  ~Captured() { stream_.rdbuf(before_); }
  std::string text() const { return text_.str(); }

 private:
  std::ostream& stream_;
  std::ostringstream text_;
  std::streambuf* before_;
};

// Calls a function with all that was written so far, at every flush.
class Told : public std::stringbuf {
 public:
  explicit Told(std::function<void(const std::string&)> use) : use_(std::move(use)) {}

 protected:
  int sync() override {
    use_(str());
    return 0;
  }

 private:
  std::function<void(const std::string&)> use_;
};

struct Run {
  int code = -1;
  std::string output;
  std::string error;
};

// quire submit, in this process.
Run submit(const std::string& servers, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "--gearman-servers=" + servers);
  const Captured output(std::cout);
  const Captured error(std::cerr);
  Run run;
  run.code = run_submit(arguments);
  run.output = output.text();
  run.error = error.text();
  return run;
}

std::size_t count_lines(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("submit") {
  const Gearmand gearmand;
  const TemporaryFolder folder;

  SUBCASE("one task from the command line") {
    const AnsweringWorker worker(gearmand.port(), {{"work", do_tasks}});
    const Run run = submit(gearmand.address(), {"Work", "--", "a b", "c"});
    CHECK(run.code == exit_ok);
    CHECK(contains(run.output, "did 'a b' c"));
    CHECK(run.error.starts_with("1 task: 1 succeeded, 0 failed, 0 without an answer; "));
  }

  SUBCASE("a failed task makes the exit code 1 and is told in full") {
    const AnsweringWorker worker(gearmand.port(), {{"work", do_tasks}});
    const std::string file = folder.write("tasks", "good\nfail now\ngood\n");
    const Run run = submit(gearmand.address(), {"work", "--file", file, "--quiet"});
    CHECK(run.code == exit_task_failed);
    CHECK(run.error.empty());
    CHECK(contains(run.output,
                   "failed with exit code 3.\n  arguments\n    fail now\n  stderr\n    cannot do fail now"));
  }

  SUBCASE("every task of many is sent once and has its own result") {
    const AnsweringWorker worker(gearmand.port(), {{"work", do_tasks}});
    const AnsweringWorker second(gearmand.port(), {{"work", do_tasks}});
    std::string content;
    for (int i = 0; i < 10'001; ++i) content += std::to_string(i) + "\n";
    const std::string file = folder.write("tasks", content);
    const std::string results = (folder / "results").string();
    const Run run = submit(gearmand.address(), {"work", "--file", file, "--format", "csv", "--output",
                                                results, "--batch-size", "100", "--in-flight", "7"});
    CHECK(run.code == exit_ok);
    CHECK(run.output.empty());
    CHECK(contains(run.error, "10001 tasks: 10001 succeeded"));
    std::istringstream lines(test::read_file(results));
    std::set<std::string> done;
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line)) {
      const std::string arguments = line.substr(37, line.find(',', 37) - 37);
      CHECK(contains(line, ",did " + arguments + ","));
      CHECK(done.insert(arguments).second);
    }
    CHECK(done.size() == 10'001);
  }

  SUBCASE("no output is sent back where none is asked for") {
    const AnsweringWorker worker(gearmand.port(), {{"work", do_tasks}});
    const Run run = submit(gearmand.address(), {"work", "--no-output", "--", "a"});
    CHECK(run.code == exit_ok);
    CHECK(!contains(run.output, "did a"));
  }

  SUBCASE("a task that the reply does not answer is told") {
    const AnsweringWorker worker(gearmand.port(),
                                 {{"forget", [](const std::string&) {
                                     return std::optional<std::string>("{\"task_results\": {}}");
                                   }}});
    const Run run = submit(gearmand.address(), {"forget", "--", "a"});
    CHECK(run.code == exit_task_failed);
    CHECK(contains(run.output, "The reply has no result for this task."));
    CHECK(contains(run.error, "0 failed, 1 without an answer"));
  }

  SUBCASE("a reply that is none and a job that failed are told") {
    const AnsweringWorker worker(
        gearmand.port(), {{"babble", [](const std::string&) { return std::optional<std::string>("hm"); }},
                          {"fail", [](const std::string&) { return std::optional<std::string>(); }}});
    for (const char* function : {"babble", "fail"}) {
      const Run run = submit(gearmand.address(), {function, "--format", "json", "--", "a"});
      CHECK(run.code == exit_task_failed);
      CHECK(contains(run.output, "\"exit_code\":null"));
      CHECK(contains(run.output, "\"problem\":\""));
    }
  }

  SUBCASE(
      "a function that nobody offers is pointed out, with the nearest one, and the time limit ends the "
      "wait") {
    const AnsweringWorker worker(gearmand.port(), {{"checksum", do_tasks}});
    const Run run = submit(gearmand.address(), {"checksums", "--timeout", "3", "--", "a"});
    CHECK(run.code == exit_task_failed);
    CHECK(contains(run.error, "Nobody serves checksums at " + gearmand.address()));
    CHECK(contains(run.error, "Did you mean checksum?"));
    CHECK_FALSE(contains(run.error, "gives up after N seconds"));  // that was said already
    CHECK(contains(run.error, "1 task: 0 succeeded, 0 failed, 1 without an answer"));
    CHECK(contains(run.error, "`quire tasks list --gearman-servers " + gearmand.address() +
                                  " --since 1h --function checksums`"));
    CHECK(contains(run.output, "The time limit of 3 s was reached."));
  }

  SUBCASE(
      "a function that nobody serves is told once, with all ways out, and a worker that comes is waited "
      "for") {
    std::optional<AnsweringWorker> worker;
    Told told([&](const std::string& text) {
      if (!worker && contains(text, "\n"))
        worker.emplace(gearmand.port(), std::map<std::string, AnsweringWorker::Answer>{{"work", do_tasks}});
    });
    std::streambuf* const before = std::cerr.rdbuf(&told);
    const Captured output(std::cout);
    const int code = run_submit({"--gearman-servers=" + gearmand.address(), "work", "--", "a"});
    std::cerr.rdbuf(before);
    CHECK(code == exit_ok);
    CHECK(told.str().starts_with(
        "Nobody serves work at " + gearmand.address() +
        ", nor any other function: start a worker with `quire worker --gearman-servers " +
        gearmand.address() +
        "`. Waiting for a worker; --timeout N gives up after N seconds; Ctrl-C gives up at "
        "once.\n1 task: 1 succeeded, "));
    CHECK(count_lines(told.str()) == 2);
  }

  SUBCASE("an input without a task sends nothing and says so") {
    const Run run = submit(gearmand.address(), {"work", "--file", folder.write("tasks", "\n\n")});
    CHECK(run.code == exit_ok);
    CHECK(run.error == "The input has no task, so nothing was sent: it wants a task a line.\n");
  }

  SUBCASE("an interrupt tells what was answered and what was not") {
    std::atomic<int> batches = 0;
    const AnsweringWorker worker(gearmand.port(), {{"work", [&](const std::string& workload) {
                                                      if (++batches == 3) ::raise(SIGINT);
                                                      return do_tasks(workload);
                                                    }}});
    std::string content;
    for (int i = 0; i < 1'000'000; ++i) content += "x\n";
    const std::string file = folder.write("tasks", content);
    const Run run = submit(gearmand.address(), {"work", "--file", file, "--format", "json"});
    CHECK(run.code == exit_task_failed);
    CHECK(contains(run.error, "The submission was interrupted."));
    CHECK(contains(run.error, "--since 1h --function work`, then `quire tasks show --gearman-servers "));
    CHECK(count_lines(run.output) < 1'000'000);
    CHECK(contains(run.error, std::to_string(count_lines(run.output)) + " tasks: "));
  }

  SUBCASE("a line that cannot be understood ends the submission after the ones before it") {
    const AnsweringWorker worker(gearmand.port(), {{"work", do_tasks}});
    const std::string file = folder.write("tasks", "\"a\"\n\"b\"\n\"c\"\nnonsense\n\"d\"\n");
    const Captured output(std::cout);
    CHECK_THROWS_AS(run_submit({"--gearman-servers", gearmand.address(), "work", "--file", file,
                                "--json-input", "--batch-size", "2", "--format", "json"}),
                    UsageError);
    CHECK(count_lines(output.text()) == 3);
    CHECK(contains(output.text(), "did b"));
    CHECK(contains(output.text(), "It was not sent. Line 4 of "));
  }
}

TEST_CASE("submit: what cannot be done is refused with a sentence") {
  const TemporaryFolder folder;
  const std::string nowhere = "127.0.0.1:" + std::to_string(test::free_port());

  SUBCASE("no job server") {
    const Run run = submit(nowhere, {"work", "--", "a"});
    CHECK(run.code == exit_unavailable);
    CHECK(run.output.empty());
    CHECK(run.error.starts_with("quire submit: The job server at " + nowhere + " cannot be reached: "));
    CHECK(count_lines(run.error) == 1);
  }

  SUBCASE("usage") {
    const std::string file = folder.write("tasks", "\"a\"\n");
    const std::vector<std::vector<std::string>> wrong = {
        {},
        {"work"},
        {"work", "a"},
        {"work", "--file", "/nowhere/tasks"},
        {"work", "--file", file, "--", "a"},
        {"work", "--as-word", "--", "a"},
        {"work", "--file", file, "--as-word", "--json-input"},
        {"work", "--format", "xml", "--", "a"},
        {"work", "--batch-size", "0", "--", "a"},
        {"work", "--in-flight", "-1", "--", "a"},
        {"work", "--timeout", "-1", "--", "a"},
        {"work", "--output", "/nowhere/results", "--", "a"},
    };
    for (const auto& arguments : wrong) {
      std::string text;
      for (const std::string& word : arguments) text += word + " ";
      CAPTURE(text);
      CHECK_THROWS_AS(submit(nowhere, arguments), UsageError);
    }
  }
}
