// The hosts of one module: one that takes new subsets, and those that only finish theirs. Lives on the main
// loop.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "worker/fingerprint.hpp"
#include "worker/module.hpp"
#include "worker/settings.hpp"
#include "worker/warm_host.hpp"
#include "worker/worker_status.hpp"

namespace quire {

class HostGroup {
 public:
  struct Events {
    std::function<void()> changed;                            // there may be something to start, or to end
    std::function<void(const std::string& why)> cannot_load;  // nor could a second host, where that may help
    std::function<void(const host_protocol::Ready&)> loaded = [](const auto&) {};  // a host its module
    std::function<void()> started = [] {};                                         // a host process
    std::function<void()> failed = [] {};  // one ended that should not have
  };

  // held_descriptor: as ModuleHost::Options has it.
  HostGroup(boost::asio::io_context& loop, Module module, int held_descriptor, Events events);

  const Module& module() const { return module_; }

  // A host gives way to a new one when its script's file or the module has changed, when it has served
  // enough, or when the settings are new.
  void refresh(const Module& module, const Settings& settings);
  void retire();

  // The host that takes subsets, once it is ready; else null, and one is on its way. Throws std::system_error
  // when no process can be started.
  WarmHost* host(const std::shared_ptr<const Settings>& settings);

  // A module that must not be forked runs its subset in the host itself, which takes no other.
  void give_away();

  // Ends the hosts that have nothing to do any more, and the one that takes subsets when it has been idle for
  // so long (0: never). True while there are hosts.
  bool end_idle(std::chrono::seconds longest);

  // What the script says of itself; null where no host is ready.
  const host_protocol::Ready* description() const {
    return current_ && current_->state() == WarmHost::State::ready ? &current_->description() : nullptr;
  }
  std::vector<int> pids() const;
  std::vector<HostStatus> status() const;
  std::string describe() const;  // for people: "module checksum: host 123, ready, 2 running, 17 served"

  void used() { last_used_ = std::chrono::steady_clock::now(); }

 private:
  void on_change();

  boost::asio::io_context& loop_;
  Module module_;
  const int held_descriptor_;
  const Events events_;
  Fingerprint fingerprint_;
  std::unique_ptr<WarmHost> current_;
  std::list<std::unique_ptr<WarmHost>> retired_;
  std::shared_ptr<const Settings> settings_;
  bool guarded_ = false;
  std::size_t too_late_ = 0;  // hosts in a row that were not ready in time
  std::chrono::steady_clock::time_point last_used_ = std::chrono::steady_clock::now();
};

}  // namespace quire
