#include "common/program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include "common/bounded_text.hpp"

namespace quire {
namespace {

// What a system call returned. Throws std::system_error where that is -1.
int checked(long returned, const char* call) {
  if (returned == -1) throw std::system_error(errno, std::generic_category(), call);
  return static_cast<int>(returned);
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }
  void close() {
    if (fd_ != -1) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

// One of the program's streams and what came out of it.
class Stream {
 public:
  explicit Stream(std::size_t text_limit) : Stream(make_pipe(), text_limit) {}

  int read_end() const { return read_end_.get(); }
  int write_end() const { return write_end_.get(); }
  void close_write_end() { write_end_.close(); }

  // Takes what is there, up to a block; blocks when there is nothing. False: nobody will write any more.
  bool take() { return take(block_.size()) != 0; }

  // Takes no more than is there now, since somebody may write without end.
  void take_the_rest() {
    int waiting = 0;
    checked(::ioctl(read_end(), FIONREAD, &waiting), "ioctl");
    for (auto left = static_cast<std::size_t>(waiting); left > 0;) {
      const ssize_t size = take(std::min(left, block_.size()));
      if (size == 0) return;
      left -= static_cast<std::size_t>(std::max<ssize_t>(size, 0));
    }
  }

  const BoundedText& text() const { return text_; }

 private:
  // How many bytes were taken; 0: nobody will write any more; -1: a signal came in between.
  ssize_t take(std::size_t most) {
    const ssize_t size = ::read(read_end(), block_.data(), most);
    if (size > 0) text_.append({block_.data(), static_cast<std::size_t>(size)});
    return size == -1 && errno != EINTR ? 0 : size;
  }

  static std::array<int, 2> make_pipe() {
    std::array<int, 2> ends{};
    checked(::pipe2(ends.data(), O_CLOEXEC), "pipe2");
    return ends;
  }
  Stream(const std::array<int, 2>& ends, std::size_t text_limit)
      : read_end_(ends[0]), write_end_(ends[1]), text_(text_limit) {}

  Descriptor read_end_;
  Descriptor write_end_;
  BoundedText text_;
  std::vector<char> block_ = std::vector<char>(64 * 1024);  // what a pipe holds
};

// What the program finds on its descriptors.
class FileActions {
 public:
  FileActions(const Stream& output, const Stream& errors) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, output.write_end(), STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions_, errors.write_end(), STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
  }
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;

  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

// A program that was started. Destroyed before it has been waited for: killed and reaped.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  ~Child() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) == -1 && errno == EINTR) continue;
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }

  ExitStatus wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) == -1) {
      if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "waitpid");
    }
    pid_ = 0;
    return ExitStatus::from_wait(status);
  }

 private:
  pid_t pid_;
};

// The same strings as execve() takes them.
std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (const std::string& string : strings) result.push_back(const_cast<char*>(string.c_str()));
  result.push_back(nullptr);
  return result;
}

// Takes both streams at once until the program has ended: it must never wait for us while we wait for it.
ExitStatus drain_and_wait(Child& child, Stream& output, Stream& errors) {
  const Descriptor ended(checked(::syscall(SYS_pidfd_open, child.pid(), 0), "pidfd_open"));
  std::array<pollfd, 3> watched{
      {{output.read_end(), POLLIN, 0}, {errors.read_end(), POLLIN, 0}, {ended.get(), POLLIN, 0}}};
  while (watched[2].revents == 0) {
    if (::poll(watched.data(), watched.size(), -1) == -1) {
      if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "poll");
      continue;
    }
    if (watched[0].revents != 0 && !output.take()) watched[0].fd = -1;
    if (watched[1].revents != 0 && !errors.take()) watched[1].fd = -1;
  }
  const ExitStatus status = child.wait();
  output.take_the_rest();
  errors.take_the_rest();
  return status;
}

}  // namespace

ProgramRun run_program(const std::vector<std::string>& command, const std::vector<std::string>& environment,
                       std::size_t output_limit) {
  Stream output(output_limit);
  Stream errors(output_limit);
  ProgramRun run;
  pid_t pid = 0;
  run.start_error = posix_spawnp(&pid, command.front().c_str(), FileActions(output, errors).get(), nullptr,
                                 pointers(command).data(), pointers(environment).data());
  if (run.start_error != 0) return run;
  Child child(pid);
  output.close_write_end();
  errors.close_write_end();
  run.status = drain_and_wait(child, output, errors);
  run.output = output.text().text();
  run.error = errors.text().text();
  run.missing_output = output.text().missing();
  run.missing_error = errors.text().missing();
  return run;
}

std::vector<std::string> current_environment() {
  std::vector<std::string> environment;
  for (char** variable = environ; *variable != nullptr; ++variable) environment.emplace_back(*variable);
  return environment;
}

}  // namespace quire
