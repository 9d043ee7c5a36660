#include "worker/subprocess.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <system_error>

#include <boost/asio/io_context.hpp>
#include <boost/process/v2/process.hpp>

#include "worker/privileges.hpp"

namespace quire {

namespace {

namespace process = boost::process::v2;

// Targets of descriptors lie below; sources are first moved above, so that none is overwritten before its
// turn.
constexpr int first_scratch_descriptor = 64;

// The thread sanitizer keeps its books in our memory, and a child that shares it would spoil them: with it
// the child has a copy, and only its stack in common with us.
#ifdef __SANITIZE_THREAD__
constexpr int share_memory = 0;
constexpr int kind_of_stack = MAP_SHARED;
#else
constexpr int share_memory = CLONE_VM;
constexpr int kind_of_stack = MAP_PRIVATE | MAP_STACK;
#endif

// What the child needs between clone() and exec(). It shares our memory and we are suspended meanwhile, so it
// must not allocate, and tells us by `error`, at the far end of its stack, what went wrong.
struct Child {
  const char* program;
  char* const* arguments;
  char* const* environment;
  const std::pair<int, int>* descriptors;
  std::size_t descriptor_count;
  int highest_target;
  bool no_new_privileges;
  rlim_t open_files;  // soft limit; 0: ours
  sigset_t mask;
  int* error;  // 0: nothing
};

[[gnu::no_sanitize("address", "thread")]] int run_child(void* pointer) {
  Child& child = *static_cast<Child*>(pointer);
  int scratch[16];
  bool good = ::setpgid(0, 0) == 0 && ::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;
  for (std::size_t i = 0; good && i < child.descriptor_count; ++i) {
    scratch[i] = ::fcntl(child.descriptors[i].first, F_DUPFD_CLOEXEC, first_scratch_descriptor);
    good = scratch[i] >= 0;
  }
  rlimit open_files{};
  if (child.open_files > 0 && ::getrlimit(RLIMIT_NOFILE, &open_files) == 0) {
    open_files.rlim_cur = child.open_files;
    ::setrlimit(RLIMIT_NOFILE, &open_files);
  }
  if (child.no_new_privileges) good = good && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
  const int null = good ? ::open("/dev/null", O_RDWR | O_CLOEXEC) : -1;
  good = good && null >= 0 && ::dup2(null, 0) == 0;
  for (std::size_t i = 0; good && i < child.descriptor_count; ++i) {
    good = ::dup2(scratch[i], child.descriptors[i].second) >= 0;
  }
  if (good) {
    ::close_range(static_cast<unsigned>(child.highest_target) + 1, ~0U, CLOSE_RANGE_CLOEXEC);
    ::signal(SIGPIPE, SIG_DFL);
    ::signal(SIGXFSZ, SIG_DFL);
    ::sigprocmask(SIG_SETMASK, &child.mask, nullptr);
    ::execve(child.program, child.arguments, child.environment);
  }
  *child.error = errno;
  ::_exit(127);
}

std::vector<char*> pointers(const std::string* first, const std::vector<std::string>& rest) {
  std::vector<char*> result;
  if (first != nullptr) result.push_back(const_cast<char*>(first->c_str()));
  for (const std::string& word : rest) result.push_back(const_cast<char*>(word.c_str()));
  result.push_back(nullptr);
  return result;
}

struct Started {
  pid_t pid;
  int pidfd;
};

Started start(const Subprocess::Launch& launch) {
  const std::vector<char*> arguments = pointers(&launch.program, launch.arguments);
  const std::vector<char*> environment = pointers(nullptr, launch.environment);
  Child child{};
  child.program = launch.program.c_str();
  child.arguments = arguments.data();
  child.environment = environment.data();
  child.descriptors = launch.descriptors.data();
  child.descriptor_count = launch.descriptors.size();
  child.highest_target = 2;
  child.no_new_privileges = launch.no_new_privileges;
  child.open_files = open_files_limit_of_children();
  for (const auto& [ours, theirs] : launch.descriptors)
    child.highest_target = std::max(child.highest_target, theirs);

  constexpr std::size_t stack_size = 64 * 1024;
  void* stack = ::mmap(nullptr, stack_size, PROT_READ | PROT_WRITE, kind_of_stack | MAP_ANONYMOUS, -1, 0);
  if (stack == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
  child.error = static_cast<int*>(stack);

  // A signal that came to the child before exec() would run our handlers in our memory.
  sigset_t all;
  ::sigfillset(&all);
  sigset_t before;
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  ::sigemptyset(&child.mask);
  int pidfd = -1;
  const pid_t pid = ::clone(run_child, static_cast<char*>(stack) + stack_size,
                            share_memory | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &child, &pidfd);
  const int clone_error = errno;
  const int child_error = *child.error;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::munmap(stack, stack_size);

  if (pid < 0) throw std::system_error(clone_error, std::generic_category(), "clone");
  if (child_error != 0) {
    ::waitpid(pid, nullptr, 0);
    ::close(pidfd);
    throw std::system_error(child_error, std::generic_category(), "cannot start " + launch.program);
  }
  return {pid, pidfd};
}

}  // namespace

// Held by the wait on the loop as well, which may complete after the Subprocess has gone.
struct Subprocess::Impl {
  Impl(boost::asio::io_context& loop, const Started& started, std::function<void(ExitStatus)> on_end)
      : process(loop.get_executor(), started.pid, started.pidfd),
        pid(started.pid),
        ended(std::move(on_end)) {}

  process::process process;
  const pid_t pid;
  std::function<void(ExitStatus)> ended;
  bool running = true;
};

Subprocess::Subprocess(boost::asio::io_context& loop, const Launch& launch,
                       std::function<void(ExitStatus)> ended)
    : impl_(std::make_shared<Impl>(loop, start(launch), std::move(ended))) {
  impl_->process.async_wait([impl = impl_](boost::system::error_code, int) {
    if (!impl->running) return;
    impl->running = false;
    const ExitStatus status = ExitStatus::from_wait(impl->process.native_exit_code());
    impl->process.detach();  // it has been reaped: its number may already be another's
    // Taken out first: the callback may destroy the Subprocess.
    if (const auto callback = std::move(impl->ended)) callback(status);
  });
}

Subprocess::~Subprocess() {
  impl_->ended = nullptr;
  if (!impl_->running) return;
  impl_->running = false;
  ::kill(-impl_->pid, SIGKILL);
  while (::waitpid(impl_->pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  impl_->process.detach();
}

int Subprocess::pid() const { return impl_->pid; }

void Subprocess::signal(int number) {
  if (impl_->running) ::kill(-impl_->pid, number);
}

}  // namespace quire
