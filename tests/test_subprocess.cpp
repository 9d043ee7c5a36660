#include "worker/subprocess.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <optional>
#include <system_error>

#include <doctest/doctest.h>
#include <boost/asio/io_context.hpp>

namespace quire {

namespace {

Subprocess::Launch shell(const std::string& script) {
  return {.program = "/bin/sh",
          .arguments = {"-c", script},
          .environment = {"PATH=/usr/bin:/bin"},
          .descriptors = {}};
}

ExitStatus run(const Subprocess::Launch& launch) {
  boost::asio::io_context loop;
  std::optional<ExitStatus> status;
  const Subprocess process(loop, launch, [&](ExitStatus ended) { status = ended; });
  loop.run();
  REQUIRE(status);
  return *status;
}

struct Pipe {
  Pipe() { REQUIRE(::pipe2(ends, O_CLOEXEC) == 0); }
  ~Pipe() {
    ::close(ends[0]);
    if (ends[1] >= 0) ::close(ends[1]);
  }
  std::string read_all() {
    ::close(std::exchange(ends[1], -1));
    std::string text;
    char buffer[4096];
    for (ssize_t got; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;)
      text.append(buffer, static_cast<std::size_t>(got));
    return text;
  }
  int ends[2];
};

std::string output_of(Subprocess::Launch launch) {
  Pipe pipe;
  launch.descriptors.emplace_back(pipe.ends[1], 1);
  run(launch);
  return pipe.read_all();
}

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator entries("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

}  // namespace

TEST_CASE("subprocess") {
  SUBCASE("a code and a signal are told apart") {
    CHECK(run(shell("exit 9")).describe() == ExitStatus::exited(9).describe());
    CHECK(run(shell("kill -9 $$")).describe() == ExitStatus::signalled(9).describe());
    CHECK(run(shell("exit 0")).success());
  }
  SUBCASE("a program that is not there is an error that names it") {
    CHECK_THROWS_WITH_AS(
        run({.program = "/no/such/program", .arguments = {}, .environment = {}, .descriptors = {}}),
        "cannot start /no/such/program: No such file or directory", std::system_error);
  }
  SUBCASE("the child has the descriptors that it was given, and no others") {
    const Pipe not_for_it;
    const std::string listed = output_of(
        {.program = "/bin/ls", .arguments = {"/proc/self/fd"}, .environment = {}, .descriptors = {}});
    CHECK(listed == "0\n1\n2\n3\n");  // 3 is the folder that ls reads
  }
  SUBCASE("its environment is the given one alone, and its stdin is empty") {
    Subprocess::Launch launch = shell("/usr/bin/env | grep -v -e PWD -e '^_=' -e SHLVL; cat");
    launch.environment = {"A=b c"};
    CHECK(output_of(launch) == "A=b c\n");
  }
  SUBCASE("descriptors that cross each other reach their targets") {
    Pipe first;
    Pipe second;
    Subprocess::Launch launch = shell("echo one >&3; echo two >&4");
    launch.descriptors = {{second.ends[1], 4}, {first.ends[1], 3}};
    run(launch);
    CHECK(first.read_all() == "one\n");
    CHECK(second.read_all() == "two\n");
  }
  SUBCASE("no signal is blocked and SIGPIPE ends a child as usual") {
    CHECK(output_of(shell("grep SigBlk /proc/self/status; grep SigIgn /proc/self/status")) ==
          "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
  }
  SUBCASE("it gains no privileges where that is asked for") {
    Subprocess::Launch launch = shell("grep NoNewPrivs /proc/self/status");
    launch.no_new_privileges = true;
    CHECK(output_of(launch) == "NoNewPrivs:\t1\n");
  }
  SUBCASE("one that is destroyed has been killed with its group, and reaped") {
    boost::asio::io_context loop;
    Pipe pipe;
    int pid = 0;
    {
      Subprocess::Launch launch = shell("sleep 1000 & echo started; wait");
      launch.descriptors.emplace_back(pipe.ends[1], 1);
      const Subprocess process(loop, launch, [](ExitStatus) { FAIL("no event may come"); });
      pid = process.pid();
      char byte;
      REQUIRE(::read(pipe.ends[0], &byte, 1) == 1);
    }
    CHECK(::waitpid(pid, nullptr, WNOHANG) == -1);
    pipe.read_all();  // ends only when the sleep, which holds the pipe too, is gone
    loop.run();
  }
  SUBCASE("a hundred children leave no descriptor behind") {
    const std::size_t before = open_descriptors();
    for (int i = 0; i < 100; ++i) run(shell("exit 0"));
    CHECK(open_descriptors() == before);
  }
}

}  // namespace quire
