#include "common/exit_status.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <limits>

using namespace quire;

namespace {

// How a child ends that does this.
template <typename Body>
ExitStatus status_of_child(Body body) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    body();
    _exit(99);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return ExitStatus::from_wait(status);
}

}  // namespace

TEST_CASE("exit status") {
  SUBCASE("a process that exits has a code and no signal") {
    const ExitStatus status = status_of_child([] { _exit(3); });
    CHECK_FALSE(status.by_signal());
    CHECK(status.code() == 3);
    CHECK_FALSE(status.success());
    CHECK(status.describe() == "exited with code 3");
  }
  SUBCASE("only code 0 is success") {
    CHECK(status_of_child([] { _exit(0); }).success());
    CHECK_FALSE(ExitStatus::exited(1).success());
    CHECK_FALSE(ExitStatus::signalled(SIGTERM).success());
  }
  SUBCASE("kill -9 and exit 9 are two different things") {
    const ExitStatus killed = status_of_child([] { raise(SIGKILL); });
    CHECK(killed.by_signal());
    CHECK(killed.signal() == 9);
    CHECK(killed.describe() == "ended by signal 9 (Killed)");
    const ExitStatus exited = status_of_child([] { _exit(9); });
    CHECK_FALSE(exited.by_signal());
    CHECK(exited.code() == 9);
  }
  SUBCASE("signals are named where they have a name") {
    CHECK(ExitStatus::signalled(SIGSEGV).describe() == "ended by signal 11 (Segmentation fault)");
    CHECK(ExitStatus::signalled(SIGRTMIN + 1).describe() ==
          "ended by signal " + std::to_string(SIGRTMIN + 1));
  }
}

TEST_CASE("exit_code_of_unfinished") {
  SUBCASE("a signal N gives 128+N") {
    CHECK(exit_code_of_unfinished(ExitStatus::signalled(SIGSEGV)) == 139);
    CHECK(exit_code_of_unfinished(ExitStatus::signalled(SIGKILL)) == 137);
  }
  SUBCASE("a code is kept, but never 0") {
    CHECK(exit_code_of_unfinished(ExitStatus::exited(7)) == 7);
    CHECK(exit_code_of_unfinished(ExitStatus::exited(0)) == 1);
  }
}

TEST_CASE("wire_exit_code") {
  SUBCASE("codes that are not negative go through, above 255 too") {
    for (const std::int64_t code : {0, 1, 179, 255, 256, 100000}) CHECK(wire_exit_code(code) == code);
    CHECK(wire_exit_code(std::numeric_limits<std::int64_t>::max()) ==
          std::numeric_limits<std::int64_t>::max());
  }
  SUBCASE("-1 becomes 255, any other -N becomes 128+N") {
    CHECK(wire_exit_code(-1) == 255);
    CHECK(wire_exit_code(-2) == 130);
    CHECK(wire_exit_code(-11) == 139);
    CHECK(wire_exit_code(-1000) == 1128);
  }
  SUBCASE("the lowest number of all is still positive on the wire") {
    CHECK(wire_exit_code(std::numeric_limits<std::int64_t>::min()) ==
          std::numeric_limits<std::int64_t>::max());
    CHECK(wire_exit_code(std::numeric_limits<std::int64_t>::min() + 1) ==
          std::numeric_limits<std::int64_t>::max());
  }
}
