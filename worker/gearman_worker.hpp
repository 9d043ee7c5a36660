// Our side of the job servers: takes jobs, hands each to a function on a thread of its own, sends the
// answers.
//
// Every job server is served by a thread of its own; up to `slots` jobs are in hand at once over all of them
// (and one more for each further server, since each is asked by itself). It knows nothing of batches: the
// function that it is given does.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "worker/batch.hpp"
#include "worker/function_prefix.hpp"
#include "worker/job_server.hpp"
#include "worker/worker_status.hpp"

namespace quire {

class GearmanWorker {
 public:
  // What a handler made of a job.
  struct Outcome {
    enum class Kind {
      reply,  // the job is complete
      fail,   // the job is failed
      leave,  // no answer: the job server delivers the job again once our connection is gone; only while
              // stopping
    };
    Kind kind = Kind::fail;
    std::string reply = {};
  };
  // Must not throw. Called by many threads at once.
  using Handler = std::function<Outcome(const Delivery&)>;

  // What is asked of the job servers; it may be changed at any time.
  struct Work {
    std::vector<JobServer> servers;
    std::vector<std::string> functions;
    FunctionPrefix prefix;  // of the functions on the job servers; all else has their own names
    std::size_t slots = 1;
    Handler handler;
    // Whether a second job of the function may be taken while one is in hand. Where it may not, the function
    // is withdrawn from all servers meanwhile, so that its jobs wait there, or go to another worker, and take
    // no slot. Any thread.
    std::function<bool(const std::string& function)> concurrent;
  };

  struct Options {
    std::string identifier;  // what gearadmin --workers shows; no white space
    // How long a job server may be silent before it is asked for a sign of life, and then until it must have
    // given one.
    std::chrono::milliseconds patience{30'000};
    // False: there is no room for more work just now. Any thread.
    std::function<bool()> may_take = [] { return true; };
    // The functions have been registered with a job server. Any thread.
    std::function<void()> registered = [] {};
    // Whether the reply to a job has arrived at the job server. Any thread; must not block.
    std::function<void(const std::string& handle, const std::string& unique, bool has_arrived)> delivered =
        [](const std::string&, const std::string&, bool) {};
  };

  // Starts at once. A server that cannot be reached is tried again and again.
  GearmanWorker(Options options, Work work);

  // stop() and wait().
  ~GearmanWorker();

  // Jobs that are taken from now on are of this work. Those in hand are finished and answered as they were
  // begun. Any thread.
  void change(Work work);

  // A job in hand begins to wait for somebody else, or goes on: while it waits it takes no slot. Any thread.
  void waits(bool begins);

  // Takes no more jobs. Returns at once. Any thread.
  void stop();

  // wait() is to wait for jobs in hand only, and not for the job servers to confirm what was sent. Any
  // thread.
  void hurry();

  // Waits until every job in hand has been answered and the connections are closed. REQUIRES: stop() was
  // called; one thread
  void wait();

  // For how long the thread of a job server has not come round, at worst. Any thread.
  std::chrono::seconds oldest_turn() const;

  // The job servers, and the batches in hand: of a WorkerStatus it fills in those, with the figures that are
  // there already. Any thread.
  void describe(WorkerStatus& status) const;

  // What every job server's thread and every job in hand is about, a line each. Any thread.
  std::vector<std::string> describe() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace quire
