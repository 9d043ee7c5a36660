// Submits batches of tasks and gets their results, as a controller does: find_package(quire), and link
// quire::controller.
//
//   namespace controller = quire::controller;
//   controller::Submitter submitter({.servers = "127.0.0.1:4730"}, [](const controller::Answer& answer) {
//     for (const controller::Result& result : answer.results) std::cout << result.task << result.output;
//   });
//   submitter.submit("checksum_v0.0", {{.id = uuid, .arguments = controller::quote({"sha256", path})}});
//   while (submitter.in_flight() > 0) submitter.run_for(std::chrono::seconds(1));
//
// Submit all batches of a piece of work at once: they may end in any order. Wherever a batch stands, it is
// answered: with a result for every task, or with the reason why there is none.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#define QUIRE_VISIBLE __attribute__((visibility("default")))

namespace quire::controller {

struct Task {
  std::string id;  // a UUID; no worker runs a task twice whose end is on its record
  std::string arguments =
      {};  // one string, as quote() makes it; the worker replaces placeholders and splits it
  std::string created_date = {};  // RFC 3339, for %jobCreatedDate%; empty: now
  bool wants_output = true;       // whether stdout and stderr are sent back
};

// What came of a task.
struct Result {
  std::string task;  // its id
  std::optional<std::int64_t>
      exit_code;            // 0 and above; nothing: nobody knows what came of it, and problem says why
  std::string output = {};  // UTF-8
  std::string error = {};
  std::string finished = {};  // when, as 2024-08-04T21:44:55.661575+00:00, in UTC; empty: not told
  std::string problem = {};   // a sentence
};

// What came of a batch.
struct Answer {
  enum class Kind {
    completed,  // the worker has answered
    failed,     // the job has ended without a reply
    lost,       // the connection or the job server went; nobody can say whether the batch was run
  };
  Kind kind;
  std::string batch;            // what submit() gave
  std::string handle;           // Gearman's; worker and job server name the batch so in their logs
  std::string problem = {};     // unless completed: why, as a sentence
  std::vector<Result> results = {};  // one for each task, in the order of submit(), whatever the kind
};

// No job server can be reached; what() says which.
struct QUIRE_VISIBLE Unreachable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Holds one connection to one job server, the first that answers. One thread; it works inside run_for() only.
// Ending it drops the connection, and with it the batches that no worker has begun.
class QUIRE_VISIBLE Submitter {
 public:
  struct Options {
    std::string servers = "127.0.0.1:4730";  // HOST:PORT, separated by commas, in order of preference
    std::string workers_key = {};            // as the workers have it: functions are then KEY-FUNCTION
    std::string workers_key_root = {};       // AtoM's form of the key
    std::chrono::milliseconds connection_limit{5'000};  // in which a server must have answered
  };

  // Called from run_for(), once for each batch, as they end; may call submit().
  using Answered = std::function<void(const Answer&)>;

  // Throws std::invalid_argument with a sentence where the options cannot be used.
  Submitter(const Options& options, Answered answered);
  ~Submitter();
  Submitter(const Submitter&) = delete;
  Submitter& operator=(const Submitter&) = delete;

  // Queues a batch, of 128 tasks usually, and returns its id. Throws std::invalid_argument: no function or no
  // task is named, or two tasks have one id.
  std::string submit(const std::string& function, const std::vector<Task>& tasks);

  // Batches that have not been answered yet.
  std::size_t in_flight() const;

  // Sends and receives until an answer was handed over or the time is up. Throws Unreachable: what is in
  // flight stays so, and the next call tries again.
  void run_for(std::chrono::milliseconds limit);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The arguments of a task from which the client script gets these words.
QUIRE_VISIBLE std::string quote(const std::vector<std::string>& words);

// A new id for a task or anything else: a random UUID.
QUIRE_VISIBLE std::string new_id();

}  // namespace quire::controller
