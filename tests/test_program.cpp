#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <set>

#include <doctest/doctest.h>

#include "common/program.hpp"

using quire::ProgramRun;

namespace {

ProgramRun run(const std::vector<std::string>& command) {
  return quire::run_program(command, quire::current_environment());
}

ProgramRun shell(const std::string& command) { return run({"sh", "-c", command}); }

std::set<std::string> open_descriptors() {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    names.insert(entry.path().filename());
  return names;
}

}  // namespace

TEST_CASE("program") {
  SUBCASE("output, errors and status are those of the program") {
    const ProgramRun ended = shell("echo out; echo err >&2; exit 3");
    CHECK(ended.start_error == 0);
    CHECK(ended.output == "out\n");
    CHECK(ended.error == "err\n");
    CHECK(ended.status.code() == 3);
    CHECK(shell("exit 0").status.success());
  }

  SUBCASE("the signal that ended it is told as a signal") {
    CHECK(shell("kill -TERM $$").status.by_signal());
    CHECK(shell("kill -TERM $$").status.signal() == SIGTERM);
  }

  SUBCASE("the arguments arrive as they are") {
    CHECK(run({"printf", "%s|", "a b", "", "$HOME", "*", "it's \"q\"", "new\nline", "\xff"}).output ==
          "a b||$HOME|*|it's \"q\"|new\nline|\xff|");
  }

  SUBCASE("the environment is the one given, and no more") {
    CHECK(quire::run_program({"/usr/bin/env"}, {"ONE=1", "TWO=a b"}).output == "ONE=1\nTWO=a b\n");
  }

  SUBCASE("megabytes on both streams at once block nobody and are complete") {
    const ProgramRun ended = shell("head -c 3000000 /dev/zero >&2 & head -c 3000000 /dev/zero; wait");
    CHECK(ended.output == std::string(3000000, '\0'));
    CHECK(ended.error == std::string(3000000, '\0'));
  }

  SUBCASE("a program that closes its streams is waited for all the same") {
    CHECK(shell("exec >&- 2>&-; cat /dev/null; exit 7").status.code() == 7);
  }

  SUBCASE("stdin is empty") { CHECK(run({"cat"}).output.empty()); }

  SUBCASE("a process left behind that holds the streams does not hold the run") {
    const pid_t left_behind = std::stoi(shell("sleep 1000 & echo $!").output);
    CHECK(::kill(left_behind, 0) == 0);
    ::kill(left_behind, SIGKILL);
  }

  SUBCASE("a process left behind that writes without end does not hold the run") {
    const ProgramRun ended = shell("yes & echo $! >&2");
    ::kill(std::stoi(ended.error), SIGKILL);
    CHECK(ended.status.success());
  }

  SUBCASE("a program that cannot be started is told with the system's number") {
    CHECK(run({"no-such-program"}).start_error == ENOENT);
    CHECK(run({"/etc/passwd"}).start_error == EACCES);
    CHECK(run({"true", std::string(300000, 'x')}).start_error == E2BIG);
  }

  SUBCASE("the program has no descriptors but 0, 1 and 2") {
    const int ours = ::open("/dev/null", O_RDONLY);  // not close-on-exec
    REQUIRE(ours > 2);
    CHECK(shell("ls /proc/$$/fd").output == "0\n1\n2\n");
    ::close(ours);
  }

  SUBCASE("nothing stays open or unreaped in this process") {
    const std::set<std::string> before = open_descriptors();
    run({"true"});
    run({"no-such-program"});
    CHECK((open_descriptors() == before));
    CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);
    CHECK(errno == ECHILD);
  }
}
