// Our side of the job servers: takes jobs, hands each to a function on a thread of its own, sends the
// answers.
//
// Every job server has one connection and one thread that serves it; up to `slots` jobs are in hand at once
// over all of them (and one more for each further server, since each is asked by itself). It knows nothing of
// batches: the function that it is given does.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "worker/batch.hpp"
#include "worker/job_server.hpp"

namespace quire {

class GearmanWorker {
 public:
  struct Options {
    std::vector<JobServer> servers;
    std::string identifier;  // what gearadmin --workers shows; no white space
    std::vector<std::string> functions;
    std::size_t slots = 1;
  };

  // Works on one job and gives the reply, or nothing where the job is to be failed. Must not throw.
  using Handler = std::function<std::optional<std::string>(const Delivery&)>;

  // Whether a second job of the function may be taken while one is in hand. Where it may not, the function is
  // withdrawn from all servers meanwhile, so that its jobs wait there, or go to another worker, and take no
  // slot.
  using Concurrent = std::function<bool(const std::string& function)>;

  // Starts at once. A server that cannot be reached is tried again and again.
  GearmanWorker(Options options, Handler handler, Concurrent concurrent);

  // stop() and wait().
  ~GearmanWorker();

  // Takes no more jobs. Returns at once. Any thread.
  void stop();

  // Waits until every job in hand has been answered and the connections are closed. REQUIRES: stop() was
  // called; one thread
  void wait();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace quire
