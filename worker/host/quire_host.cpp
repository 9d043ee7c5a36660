// quire-host: loads one native module, or stands for one program, and forks a process for every subset.
//
//   quire-host native PATH | quire-host program PATH | quire-host guard PROGRAM ARGUMENTS...
//
// (guard: see guard.hpp)
//
// Started by the worker only, with the control socket of host_protocol.hpp on descriptor 3. It does nothing
// but fork, reap and pass on signals, so that it answers at once whatever its subsets do.
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>

#include "common/exit_status.hpp"
#include "worker/host/control_socket.hpp"
#include "worker/host/guard.hpp"
#include "worker/host/hosted_module.hpp"
#include "worker/host/strays.hpp"
#include "worker/host/subset_process.hpp"

namespace quire {
namespace {

constexpr int memory_of_a_subset = 256 * 1024;

using host_protocol::HostMessage;
using host_protocol::WorkerMessage;

class Host {
 public:
  explicit Host(HostedModule module)
      : module_(std::move(module)), control_(host_protocol::control_descriptor) {
    // Room above what the host itself has, which a fork can fill without asking for more piece by piece.
    ::mallopt(M_TOP_PAD, memory_of_a_subset);
    ::mallopt(M_TRIM_THRESHOLD, 2 * memory_of_a_subset);
    std::free(std::malloc(memory_of_a_subset / 4));
    // Subsets that lose their parent come to us instead of to init, so that we can end them.
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    sigset_t child;
    ::sigemptyset(&child);
    ::sigaddset(&child, SIGCHLD);
    ::sigprocmask(SIG_BLOCK, &child, nullptr);
    child_ended_ = Descriptor(::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
    HostMessage ready;
    ready.kind = HostMessage::Kind::ready;
    ready.ready = module_.description;
    // From here on the end of the worker is seen on the control socket, and the subsets are ended in good
    // order.
    ::prctl(PR_SET_PDEATHSIG, 0);
    send(ready);
  }

  // Serves until the worker closes the control socket.
  void serve() {
    for (;;) {
      pollfd waiting[2] = {{control_.get(), POLLIN, 0}, {child_ended_.get(), POLLIN, 0}};
      if (::poll(waiting, 2, -1) < 0 && errno != EINTR) break;
      if (waiting[1].revents != 0) reap();
      if (waiting[0].revents != 0 && !receive()) break;
    }
    for (const auto& [subset, pid] : subsets_) {
      ::kill(-pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
    subsets_.clear();
    end_strays();
  }

 private:
  void send(const HostMessage& message) { send_packet(control_.get(), encode(message)); }

  // False when the worker has gone.
  bool receive() {
    Packet packet;
    switch (receive_packet(control_.get(), packet)) {
      case Receive::closed:
        return false;
      case Receive::nothing:
        return true;
      case Receive::packet:
        break;
    }
    const std::optional<WorkerMessage> message = host_protocol::decode_worker_message(packet.text);
    if (!message) return true;
    if (message->kind == WorkerMessage::Kind::signal) {
      const auto found = subsets_.find(message->subset);
      if (found != subsets_.end()) ::kill(-found->second, message->signal);
    } else if (packet.descriptors.size() != 3) {
      HostMessage refused;
      refused.kind = HostMessage::Kind::refused;
      refused.subset = message->subset;
      refused.text = "the descriptors of the subset did not come with it";
      send(refused);
    } else {
      SubsetDescriptors descriptors{std::move(packet.descriptors[0]), std::move(packet.descriptors[1]),
                                    std::move(packet.descriptors[2])};
      start(message->subset, std::move(descriptors), message->kind == WorkerMessage::Kind::run);
    }
    return true;
  }

  void start(std::uint64_t subset, SubsetDescriptors descriptors, bool here) {
    HostMessage answer;
    answer.kind = HostMessage::Kind::started;
    answer.subset = subset;
    if (here) {
      answer.pid = ::getpid();
      send(answer);
      run_subset(std::move(descriptors), ::getppid());
    }
    const int parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid == 0) run_subset(std::move(descriptors), parent);
    if (pid < 0) {
      answer.kind = HostMessage::Kind::refused;
      answer.text = std::strerror(errno);
    } else {
      ::setpgid(pid, pid);
      subsets_.emplace(subset, pid);
      answer.pid = pid;
    }
    send(answer);
  }

  [[noreturn]] void run_subset(SubsetDescriptors descriptors, int parent) {
    control_.reset();
    child_ended_.reset();
    become_subset(module_, std::move(descriptors), parent);
  }

  // Ends the children that are not subsets. A subset adopts what its descendants leave behind as long as it
  // lives, so they come to us when it has ended, and nothing that belongs to a living subset is among them.
  void end_strays() {
    end_children_but([this](pid_t pid) {
      return std::any_of(subsets_.begin(), subsets_.end(),
                         [&](const auto& entry) { return entry.second == pid; });
    });
  }

  // Tells of every subset that has ended, once nothing of it is left.
  void reap() {
    signalfd_siginfo ignored;
    while (::read(child_ended_.get(), &ignored, sizeof ignored) > 0) {
    }
    for (;;) {
      siginfo_t ended{};
      // Not reaped yet: while its leader is a zombie the group's number cannot become another's.
      if (::waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 || ended.si_pid == 0) return;
      int status = 0;
      const auto found = std::find_if(subsets_.begin(), subsets_.end(),
                                      [&](const auto& entry) { return entry.second == ended.si_pid; });
      if (found != subsets_.end()) ::kill(-ended.si_pid, SIGKILL);
      ::waitpid(ended.si_pid, &status, 0);
      if (found == subsets_.end()) continue;
      const std::uint64_t subset = found->first;
      subsets_.erase(found);
      if (::waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0) end_strays();
      const ExitStatus how = ExitStatus::from_wait(status);
      HostMessage message;
      message.kind = HostMessage::Kind::ended;
      message.subset = subset;
      message.by_signal = how.by_signal();
      message.number = how.by_signal() ? how.signal() : how.code();
      send(message);
    }
  }

  const HostedModule module_;
  Descriptor control_;
  Descriptor child_ended_;
  std::map<std::uint64_t, pid_t> subsets_;
};

int run(const std::string& kind, const std::string& path) {
  try {
    Host(kind == "native" ? load_native_module(path) : load_program(path)).serve();
    return 0;
  } catch (const ModuleError& error) {
    HostMessage message;
    message.text = error.what();
    send_packet(host_protocol::control_descriptor, encode(message));
    return 1;
  }
}

}  // namespace
}  // namespace quire

int main(int argument_count, char** arguments) {
  // Held and not touched; programs that scripts start do not get it. Without it this changes nothing.
  ::fcntl(quire::host_protocol::held_descriptor, F_SETFD, FD_CLOEXEC);
  // It was for our own loading (module_host.cpp) and is not for the scripts.
  const std::string bind_now = quire::host_protocol::bind_now;
  ::unsetenv(bind_now.substr(0, bind_now.find('=')).c_str());
  if (argument_count > 2 && std::strcmp(arguments[1], "guard") == 0) quire::stand_guard(arguments + 2);
  const std::string kind = argument_count == 3 ? arguments[1] : "";
  if (kind != "native" && kind != "program") {
    std::fputs("quire-host is started by quire: quire-host native|program PATH, or guard PROGRAM\n", stderr);
    return 64;
  }
  return quire::run(kind, arguments[2]);
}
