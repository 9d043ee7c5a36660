// Runs subsets: warm hosts, one budget of running subsets for the whole worker, shared fairly among batches.
//
// Threads: run(), runs_concurrently() and is_short_of_resources() may be called from any; everything else is
// called and happens on the main loop, which must turn in another thread while run() waits.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "worker/settings.hpp"
#include "worker/subset_runner.hpp"
#include "worker/worker_status.hpp"

namespace boost::asio {
class io_context;
}

namespace quire {

class Metrics;

class SubprocessPool final : public SubsetRunner {
 public:
  // Is told what a subset printed while no job's scope was open.
  using OutsideText =
      std::function<void(const std::string& handle, const std::string& function, const std::string& text)>;

  // Starts nothing yet: a host is started when the first batch for its module arrives.
  SubprocessPool(boost::asio::io_context& loop, const Settings& settings, OutsideText outside_text);

  // Ends all hosts. REQUIRES: no run() is under way
  ~SubprocessPool() override;

  void run(const Module& module, const std::string& function, const std::string& handle,
           const std::vector<Task*>& tasks) override;

  // Whether a second batch of the function could run beside a first one. False as long as the module has not
  // been loaded, for want of better knowledge.
  bool runs_concurrently(const Module& module, const std::string& function) const;

  // Whether a process could not be started just now for want of processes, memory or descriptors. What was to
  // be started waits until it can be; to take more work meanwhile would make it worse.
  bool is_short_of_resources() const;

  // Counts there from now on; metrics must outlive the pool.
  void count_with(Metrics& metrics);

  // Every host holds this descriptor (closed on exec) for as long as it or one of its subsets lives.
  void let_hosts_hold(int descriptor);

  // New settings: hosts that they concern are started anew, and subsets that run go on under the old ones.
  void configure(const Settings& settings);

  // Ends the subsets that run, TERM first and KILL after the grace period, and starts no more, for good.
  // Tasks that this cuts short have no result when run() returns.
  void interrupt();

  // Process ids of all hosts.
  std::vector<int> host_pids() const;

  // What every host, subset and batch is doing, as far as the pool knows: of a WorkerStatus it fills in those
  // and its two figures of processes.
  void describe(WorkerStatus& status) const;

  // What a task that runs has written so far.
  std::optional<WrittenSoFar> written(const std::string& id) const;

  // WorkerControl::cancel() (control.hpp), for the batches that are in the pool.
  std::vector<Cancellation> cancel(const std::vector<std::string>& ids, bool with_subset);

  // What every host and subset is doing, a line each.
  std::vector<std::string> describe() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace quire
