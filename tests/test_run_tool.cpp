#include <stdlib.h>

#include <map>
#include <sstream>

#include <doctest/doctest.h>

#include "clientScripts/run_tool.hpp"

using quire::Job;

namespace {

Job run(const std::string& program, const std::vector<std::string>& arguments) {
  Job job("function", "task", arguments);
  quire::run_tool(program, job);
  return job;
}

Job shell(const std::string& command) { return run("sh", {"-c", command}); }

// The variables that a program finds when, of those that run_tool knows, this process has only the given
// ones.
std::map<std::string, std::string> environment_with(const std::map<std::string, std::string>& given) {
  for (const char* name : {"LANG", "LANGUAGE", "PYTHONIOENCODING"}) ::unsetenv(name);
  for (const auto& [name, value] : given) ::setenv(name.c_str(), value.c_str(), 1);
  std::map<std::string, std::string> found;
  std::istringstream lines(run("env", {}).output());
  for (std::string line; std::getline(lines, line);) {
    const std::size_t equals = line.find('=');
    found[line.substr(0, equals)] = line.substr(equals + 1);
  }
  return found;
}

}  // namespace

TEST_CASE("run_tool") {
  SUBCASE("output, errors and status of the program are the job's") {
    const Job job = shell("echo out; echo err >&2; exit 3");
    CHECK(job.output() == "out\n");
    CHECK(job.error() == "err\n");
    CHECK(job.int_code() == 3);
    CHECK(shell("exit 0").int_code() == 0);
  }

  SUBCASE("a program ended by signal N gives status -N") { CHECK(shell("kill -TERM $$").int_code() == -15); }

  SUBCASE("a program that cannot be started is told with the system's number and text") {
    const Job missing = run("no-such-program", {"a"});
    CHECK(missing.int_code() == -1);
    CHECK(missing.output() == "Config Error!");
    CHECK(missing.error() == "[Errno 2] No such file or directory: 'no-such-program'");
    CHECK(run("true", {std::string(300000, 'x')}).error() == "[Errno 7] Argument list too long: 'true'");
  }

  SUBCASE("an argument with a zero byte is never cut off there") {
    const Job job = run("printf", {"%s", std::string("a\0b", 3)});
    CHECK(job.int_code() == -1);
    CHECK(job.output() == "Execution failed:");
    CHECK(job.error() == std::string("printf %s a\0b", 13));
  }

  SUBCASE("what is not UTF-8 in the program's texts becomes U+FFFD") {
    const Job job = shell(R"(printf 'a\377b\303'; printf '\346\227\245\346\227' >&2)");
    CHECK(job.output() == "a\uFFFDb\uFFFD");
    CHECK(job.error() == "日\uFFFD");
  }

  SUBCASE("the environment is ours, with a language where there is none") {
    auto variables = environment_with({});
    CHECK(variables["PATH"] == ::getenv("PATH"));
    CHECK(variables["PYTHONIOENCODING"] == "utf-8");
    CHECK(variables["LANG"] == "en_US.UTF-8");
    CHECK(variables["LANGUAGE"] == "en_US.UTF-8");

    variables = environment_with({{"LANG", "C.UTF-8"}, {"LANGUAGE", ""}, {"PYTHONIOENCODING", "latin-1"}});
    CHECK(variables["PYTHONIOENCODING"] == "utf-8");
    CHECK(variables["LANG"] == "C.UTF-8");
    CHECK(variables["LANGUAGE"] == "C.UTF-8");

    variables = environment_with({{"LANG", ""}, {"LANGUAGE", "de"}});
    CHECK(variables["LANG"] == "en_US.UTF-8");
    CHECK(variables["LANGUAGE"] == "de");
  }
}
