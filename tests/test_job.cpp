#include <doctest/doctest.h>

#include <array>
#include <filesystem>
#include <quire/client_script.hpp>
#include <string>
#include <vector>

using namespace quire;

namespace quire {

// Stands where the process that runs a subset stands.
class JobAccess {
 public:
  static void watch(Job& job, JobWatcher* watcher) { job.watcher_ = watcher; }
};

}  // namespace quire

namespace {

Job a_job(std::vector<std::string> arguments = {}) { return {"hello_v0.0", "uuid-1", std::move(arguments)}; }

class Diary final : public JobWatcher {
 public:
  void begun(Job& job) override { entries.push_back("begun " + job.uuid()); }
  void ended(Job& job, bool another_follows) override {
    entries.push_back("ended " + job.uuid() + (another_follows ? ", another follows" : ""));
  }
  std::vector<std::string> entries;
};

}  // namespace

TEST_CASE("job: what it is given") {
  const Job job = a_job({"one", "two words", ""});

  SUBCASE("args[0] is the function's name, the words follow") {
    CHECK(job.args() == std::vector<std::string>{"hello_v0.0", "one", "two words", ""});
    CHECK(job.arg(0) == "hello_v0.0");
    CHECK(job.arg(3).empty());
  }
  SUBCASE("name, uuid and capture_output are readable") {
    CHECK(job.name() == "hello_v0.0");
    CHECK(job.uuid() == "uuid-1");
    CHECK(job.capture_output());
    CHECK_FALSE(Job("hello", "uuid-2", {}, false).capture_output());
  }
  SUBCASE("a missing argument is a sentence that names the function and the numbers") {
    CHECK_THROWS_WITH_AS(job.arg(4), "hello_v0.0 needs argument 4 and was given 3.", std::out_of_range);
  }
}

TEST_CASE("job: status") {
  Job job = a_job();

  SUBCASE("the default is 0") {
    CHECK(job.get_exit_code() == 0);
    CHECK(job.int_code() == 0);
    CHECK(job.status_code().empty());
  }
  SUBCASE("0 never clears an earlier failure, but its status code is stored") {
    job.set_status(179, "failed");
    job.set_status(0, "fine");
    CHECK(job.get_exit_code() == 179);
    CHECK(job.status_code() == "fine");
  }
  SUBCASE("a later failure replaces an earlier one") {
    job.set_status(1);
    job.set_status(2);
    CHECK(job.int_code() == 2);
  }
  SUBCASE("the status code is success where none is given") {
    job.set_status(5);
    CHECK(job.status_code() == "success");
  }
  SUBCASE("codes above 255 and negative ones are stored as they are") {
    job.set_status(70000);
    CHECK(job.get_exit_code() == 70000);
    job.set_status(-1);
    CHECK(job.get_exit_code() == -1);
  }
}

TEST_CASE("job: output and error") {
  Job job = a_job();

  SUBCASE("write_output and write_error append as is, bytes that are not UTF-8 and zero bytes too") {
    job.write_output("a");
    job.write_output(std::string_view("\xff\0b", 3));
    job.write_error("c");
    job.write_error("\n");
    CHECK(job.output() == std::string("a\xff\0b", 4));
    CHECK(job.error() == "c\n");
  }
  SUBCASE("print_output and print_error join with spaces and add a newline") {
    job.print_output("Hello,", std::string("world"), 3, 'x', std::string_view("y"));
    job.print_output();
    job.print_error("no", 1.5);
    job.print_error("");
    CHECK(job.get_stdout() == "Hello, world 3 x y\n\n");
    CHECK(job.get_stderr() == "no 1.5\n\n");
  }
  SUBCASE("whatever a stream can write can be printed") {
    job.print_output(std::filesystem::path("/tmp/x"));
    CHECK(job.output() == "\"/tmp/x\"\n");
  }
  SUBCASE("get_stdout and get_stderr are output and error") {
    job.write_output("o");
    job.write_error("e");
    CHECK(job.get_stdout() == job.output());
    CHECK(job.get_stderr() == job.error());
  }
  SUBCASE("output is kept when the controller did not ask for it") {
    Job quiet("hello", "uuid", {}, false);
    quiet.print_output("still here");
    CHECK(quiet.output() == "still here\n");
  }
}

TEST_CASE("job: pyprint") {
  Job job = a_job();

  SUBCASE("it joins with spaces and adds a newline, like Python's print") {
    job.pyprint("a", 1, "b");
    job.pyprint();
    CHECK(job.output() == "a 1 b\n\n");
  }
  SUBCASE("sep and end are what they are set to") {
    job.pyprint(PrintOptions{.sep = ", ", .end = ""}, "a", "b", "c");
    CHECK(job.output() == "a, b, c");
  }
  SUBCASE("file chooses the job's own output or errors, and nothing else") {
    job.pyprint(PrintOptions{.file = stderr}, "oh");
    job.pyprint(PrintOptions{.file = stdout}, "ah");
    CHECK(job.error() == "oh\n");
    CHECK(job.output() == "ah\n");
    CHECK_THROWS_AS(job.pyprint(PrintOptions{.file = nullptr}, "x"), std::invalid_argument);
    CHECK(job.output() == "ah\n");
  }
}

TEST_CASE("job_context") {
  Job job = a_job();

  SUBCASE("an exception that escapes is told on the job's stderr and sets status 1") {
    job_context(job, [](Job&) { throw std::runtime_error("disk full"); });
    CHECK(job.get_exit_code() == 1);
    CHECK(job.get_stderr() == "disk full\n");
  }
  SUBCASE("so is something that is no std::exception") {
    job_context(job, [](Job&) { throw 42; });
    CHECK(job.get_exit_code() == 1);
    CHECK(job.get_stderr() == "The script threw something that is not a std::exception.\n");
  }
  SUBCASE("what the job wrote before the exception stays") {
    job_context(job, [](Job& j) {
      j.print_output("begun");
      j.print_error("warning");
      j.arg(1);
    });
    CHECK(job.output() == "begun\n");
    CHECK(job.error() == "warning\nhello_v0.0 needs argument 1 and was given 0.\n");
  }
  SUBCASE("a body that ends well leaves the status as it was") {
    job_context(job, [](Job& j) { j.set_status(0); });
    CHECK(job.get_exit_code() == 0);
    CHECK(job.get_stderr().empty());
  }
}

TEST_CASE("for_each_job") {
  std::array<Job, 3> jobs{Job("hello", "a", {}), Job("hello", "b", {}), Job("hello", "c", {})};
  const auto fail_b = [](Job& job) {
    if (job.uuid() == "b") throw std::runtime_error("not b");
    job.print_output("done");
  };

  SUBCASE("the next job goes on after an exception") {
    for_each_job(jobs, fail_b);
    CHECK(jobs[0].output() == "done\n");
    CHECK(jobs[1].get_exit_code() == 1);
    CHECK(jobs[2].output() == "done\n");
    CHECK(jobs[2].get_exit_code() == 0);
  }
  SUBCASE("each job has its own scope, closed after an exception too") {
    Diary diary;
    for (Job& job : jobs) JobAccess::watch(job, &diary);
    for_each_job(jobs, fail_b);
    CHECK(diary.entries == std::vector<std::string>{"begun a", "ended a, another follows", "begun b",
                                                    "ended b, another follows", "begun c", "ended c"});
  }
  SUBCASE("no jobs are no work") {
    for_each_job({}, [](Job&) { FAIL("called"); });
  }
}

TEST_CASE("interface version") {
  SUBCASE("a module carries the number it was built against") {
    CHECK(quire_interface_version == interface_version);
  }
}
