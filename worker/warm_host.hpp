// A host with the subsets that it runs. Lives on the main loop.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "worker/module_host.hpp"
#include "worker/subset.hpp"

namespace quire {

class WarmHost {
 public:
  enum class State { loading, ready, gone };

  // Starts the host; `changed` is called when the state has. A host that is gone without having been ready
  // has a reason(). The host may be destroyed from `changed` only when it is gone. Throws std::system_error
  // when no process can be started.
  WarmHost(boost::asio::io_context& loop, const Module& module, const Settings& settings,
           std::function<void()> changed);

  State state() const { return state_; }
  const host_protocol::Ready& description() const { return description_; }  // REQUIRES: it has been ready
  const std::string& reason() const { return reason_; }
  int pid() const { return host_.pid(); }

  // Runs the subset; `ended` is called once, when its process has ended. REQUIRES: state() == ready, and for
  // a module that must not be forked: nothing was run before
  void run(std::shared_ptr<Subset> subset, std::function<void(SubsetEnd)> ended);

  std::size_t running() const { return running_.size(); }
  std::size_t served() const { return served_; }

  // Lets the host end by itself. REQUIRES: running() == 0
  void close() { host_.close(); }

 private:
  struct Running {
    std::shared_ptr<Subset> subset;
    std::function<void(SubsetEnd)> ended;
  };

  void on_message(const host_protocol::HostMessage& message);
  void on_gone(ExitStatus status, const std::string& why);
  void end(std::uint64_t number, const SubsetEnd& how);

  State state_ = State::loading;
  host_protocol::Ready description_;
  std::string reason_;
  std::map<std::uint64_t, Running> running_;
  std::size_t served_ = 0;
  std::function<void()> changed_;
  ModuleHost host_;
};

}  // namespace quire
