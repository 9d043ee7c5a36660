// Keeps a script without concurrent_instances from running on two hosts at once, by a lock in the database
// that the hosts share. (Within one worker it never does: the runner behind this one sees to that.)
//
// Workers of other kinds know nothing of the lock. A lock that is lost while the script runs, since the
// server went away or the connection to it, is told in the log and on the stderr of the tasks, and taken
// again as soon as that is possible. While the database cannot be reached such scripts wait.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "worker/mariadb_address.hpp"
#include "worker/mariadb_lock.hpp"
#include "worker/subset_runner.hpp"

namespace quire {

class ExclusiveRunner final : public SubsetRunner {
 public:
  struct Options {
    MariadbAddress address;
    // Whether the function's script may run twice at once. Any thread.
    std::function<bool(const Module& module, const std::string& function)> is_concurrent;
    // A batch begins to wait for another host, or goes on. Any thread; must not block.
    std::function<void(bool begins)> waits = [](bool) {};
  };

  // The runner must outlive this.
  ExclusiveRunner(SubsetRunner& runner, Options options) : runner_(runner), options_(std::move(options)) {}

  void run(const Module& module, const std::string& function, const std::string& handle,
           const std::vector<Task*>& tasks) override;

  // The worker is being stopped: who waits waits no more, and its tasks get no result. Any thread.
  void interrupt();

 private:
  // The batch that asks, for the log: "H:host:1 move_sip_v0.0".
  bool acquire(MariadbLock& lock, const std::string& batch);
  bool try_to_acquire(MariadbLock& lock, std::chrono::seconds wait, const std::string& batch, bool& told);
  void watch(MariadbLock& lock, const std::string& batch, const std::atomic<bool>& done, bool& lost);
  bool pause(const std::atomic<bool>& done);

  SubsetRunner& runner_;
  const Options options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<bool> interrupted_ = false;
};

}  // namespace quire
