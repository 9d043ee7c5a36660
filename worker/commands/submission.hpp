// A submission: tasks in, batches to the job server, results out, with no more in memory than is in flight.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "worker/commands/progress.hpp"
#include "worker/commands/result_output.hpp"
#include "worker/commands/task_input.hpp"
#include "worker/gearman_client.hpp"

namespace quire {

struct SubmissionOptions {
  std::string function;
  std::vector<JobServer> servers;
  FunctionPrefix prefix = {};
  std::size_t batch_size = 128;
  std::size_t in_flight = 4;        // batches
  std::chrono::seconds timeout{0};  // for all of it; 0: none
  bool wants_output = true;
  std::string start_worker = "`quire worker`";  // the command that does, for the user
  // Asked several times a second: why to stop, as a sentence, or nothing to go on.
  std::function<std::string()> reason_to_stop;
};

// How a submission ended.
struct Tally {
  std::size_t succeeded = 0;
  std::size_t failed = 0;
  std::size_t unanswered = 0;  // sent, and given up
  bool complete = false;       // every task of the input was sent and waited for
  std::string why;             // otherwise: why not, as a sentence

  std::size_t answered() const { return succeeded + failed; }
};

class Submission {
 public:
  Submission(const SubmissionOptions& options, TaskInput& input, ResultOutput& output, Progress& progress);

  // Sends everything and waits for everything, until the options put an end to it; every task that was read
  // goes to the output once. Throws UsageError when the input cannot be understood and JobServerUnreachable,
  // both after what was in flight has been told.
  Tally run();

 private:
  void pump();
  void drain();
  void send_batches();
  bool read_batch();
  void send_batch();
  void answered(const BatchAnswer& answer);
  void tell(Outcome outcome);
  void give_up(const std::string& why);
  bool should_stop();
  void look_for_workers();
  std::string nobody_serves(const JobServer& server) const;
  ProgressFigures figures() const;

  const SubmissionOptions& options_;
  TaskInput& input_;
  ResultOutput& output_;
  Progress& progress_;
  BatchSubmitter submitter_;
  std::vector<Task> next_;                              // the batch that is being gathered
  std::map<std::string, std::vector<Task>> in_flight_;  // by the unique of the batch
  Tally tally_;
  std::size_t read_ = 0;
  std::chrono::steady_clock::time_point last_answer_ = std::chrono::steady_clock::now();
  bool any_answer_ = false;
  bool looked_for_workers_ = false;
};

}  // namespace quire
