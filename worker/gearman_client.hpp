// Our side of the job server when we submit. Only here: libgearman's client.
//
//   BatchSubmitter submitter({.servers = parse_job_servers("127.0.0.1:4730")}, [](const BatchAnswer& answer)
//   { … }); submitter.submit("checksum_v0.0", unique, encode_workload(tasks)); while (submitter.in_flight() >
//   0) submitter.run_for(std::chrono::seconds(1));
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "worker/job_server.hpp"

namespace quire {

// How a batch came back.
struct BatchAnswer {
  enum class Kind {
    completed,  // with a reply
    failed,     // the worker gave no reply; the job has ended
    lost,       // the connection or the job server went; nobody can say whether the batch was run
  };
  Kind kind;
  std::string unique;
  std::string handle;  // empty when the job server had not confirmed the job
  std::string reply;   // completed: the reply as the worker sent it
  std::string reason;  // otherwise: why, as a sentence
};

// No job server could be reached; what() says which and what to do.
struct JobServerUnreachable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Submits one batch as a background job: nobody waits for its result, which goes to the record only. Gives
// the job's handle when the server has it. Throws JobServerUnreachable, and std::invalid_argument as
// BatchSubmitter does.
std::string submit_in_background(const std::vector<JobServer>& servers, const std::string& function,
                                 const std::string& unique, const std::string& workload,
                                 std::chrono::milliseconds limit = std::chrono::seconds(5));

// Submits batches and hands back what comes of them. One thread; it works only inside run_for().
// Ending it drops the connection, with which the job server forgets foreground jobs that no worker has begun.
class BatchSubmitter {
 public:
  // Called from run_for(), once for each batch; may call submit().
  using Answered = std::function<void(const BatchAnswer&)>;

  struct Options {
    std::vector<JobServer> servers;                     // in order of preference
    std::chrono::milliseconds connection_limit{5'000};  // in which a server must have answered an echo
  };

  BatchSubmitter(Options options, Answered answered);
  ~BatchSubmitter();
  BatchSubmitter(const BatchSubmitter&) = delete;
  BatchSubmitter& operator=(const BatchSubmitter&) = delete;

  // Queues a batch. Throws std::invalid_argument where Gearman would mangle it: function longer than 512
  // bytes, unique longer than 64, or any of the three empty. A unique must not be in flight already.
  void submit(const std::string& function, const std::string& unique, std::string workload);

  // Batches queued or sent and not answered yet.
  std::size_t in_flight() const;

  // Sends and receives until an answer was handed over or the time is up. Batches that were sent over a
  // connection that breaks are answered as lost; later ones go over a new one. Throws JobServerUnreachable
  // when there is none to be had: what is in flight then stays in flight, and the next call tries again.
  void run_for(std::chrono::milliseconds limit);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace quire
