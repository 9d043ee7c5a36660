// A host: a process that has loaded one module and forks a process for every subset. Lives on the main loop.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/exit_status.hpp"
#include "worker/host/host_protocol.hpp"
#include "worker/module.hpp"
#include "worker/settings.hpp"

namespace boost::asio {
class io_context;
}

namespace quire {

class ModuleHost {
 public:
  struct End {
    ExitStatus status = ExitStatus::exited(0);
    std::string why = {};   // where it could not load its module: a sentence for the stderr of tasks
    bool too_late = false;  // it was ended since it was not ready in time
  };

  // What the owner hears of a host, on the main loop. `gone` is the last call. The host may be destroyed from
  // `gone`, but not from the others.
  struct Events {
    std::function<void(const host_protocol::Ready&)> ready;
    std::function<void(const host_protocol::HostMessage&)> subset;  // started, refused, ended
    std::function<void(const End&)> gone;
  };

  struct Options {
    int held_descriptor = -1;  // one that the host holds as long as it or one of its subsets lives; -1: none
    bool guarded = false;      // with a guard above it (guard.hpp)
  };

  // Starts the host. Throws std::system_error when it cannot be started.
  ModuleHost(boost::asio::io_context& loop, const Module& module, const Settings& settings,
             const Options& options, Events events);

  // Ends the host and with it every subset that it runs. No event comes any more.
  ~ModuleHost();
  ModuleHost(const ModuleHost&) = delete;
  ModuleHost& operator=(const ModuleHost&) = delete;

  // False when the host does not take it: it is about to be gone.
  bool send(const host_protocol::WorkerMessage& message, const std::vector<int>& descriptors = {});

  // Lets the host end by itself once it has killed its subsets; `gone` follows.
  void close();

  // To its process group, which its subsets are not in.
  void signal(int number);

  int pid() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace quire
