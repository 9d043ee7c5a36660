#include "worker/host/guard.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "worker/host/strays.hpp"

namespace quire {
namespace {

[[noreturn]] void run(char* const* arguments, int guard, const sigset_t& mask) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != guard) ::_exit(1);
  ::sigprocmask(SIG_SETMASK, &mask, nullptr);
  ::execv(arguments[0], arguments);
  std::fprintf(stderr, "cannot start %s: %s\n", arguments[0], std::strerror(errno));
  ::_exit(127);
}

// As the child did, so that the worker sees what became of it.
[[noreturn]] void end_like(int status) {
  if (WIFSIGNALED(status)) {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);  // it has left one, if anybody wants it
    const int number = WTERMSIG(status);
    ::signal(number, SIG_DFL);
    sigset_t only;
    ::sigemptyset(&only);
    ::sigaddset(&only, number);
    ::sigprocmask(SIG_UNBLOCK, &only, nullptr);
    ::raise(number);
  }
  ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

}  // namespace

void stand_guard(char* const* arguments) {
  const int worker = ::getppid();
  sigset_t before;
  sigset_t watched;
  ::sigemptyset(&watched);
  ::sigaddset(&watched, SIGCHLD);
  ::sigaddset(&watched, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &watched, &before);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  // Until now KILL: the launcher sees to that. From here on we end what runs before we go.
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  const int guard = ::getpid();
  const pid_t host = ::fork();
  if (host == 0) run(arguments, guard, before);
  if (host < 0) ::_exit(1);
  // Only the host and its subset are to be seen at the other ends.
  for (int descriptor = 0; descriptor <= 3; ++descriptor) ::close(descriptor);

  for (;;) {
    int number = 0;
    ::sigwait(&watched, &number);
    if (number == SIGTERM) {
      ::kill(::getppid() == worker ? -host : host, ::getppid() == worker ? SIGTERM : SIGKILL);
      continue;
    }
    int status = 0;
    if (::waitpid(host, &status, WNOHANG) != host) continue;
    ::kill(-host, SIGKILL);
    end_children_but([](pid_t) { return false; });
    end_like(status);
  }
}

}  // namespace quire
