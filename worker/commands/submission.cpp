#include "worker/commands/submission.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "worker/commands/command.hpp"
#include "worker/gearman_admin.hpp"
#include "worker/nearest.hpp"
#include "worker/submitting.hpp"

namespace quire {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr auto turn = 100ms;  // between two looks at the clock and the signals
// Without an answer, before we ask whether anybody offers the function; shorter than the shortest --timeout.
constexpr auto patience = 500ms;
constexpr auto question_limit = 1s;

}  // namespace

Submission::Submission(const SubmissionOptions& options, TaskInput& input, ResultOutput& output,
                       Progress& progress)
    : options_(options),
      input_(input),
      output_(output),
      progress_(progress),
      submitter_({.servers = options.servers, .prefix = options.prefix},
                 [this](const BatchAnswer& answer) { answered(answer); }) {}

Tally Submission::run() {
  try {
    try {
      pump();
    } catch (const UsageError&) {
      drain();
      throw;
    }
  } catch (const std::exception& error) {
    if (any_answer_) give_up(error.what());
    progress_.clear();
    output_.finish();
    throw;
  }
  progress_.clear();
  output_.finish();
  return tally_;
}

// Keep as many batches in flight as we may, and wait for answers; where the input has nothing for us and
// nothing is in flight, wait for the input.
void Submission::pump() {
  for (;;) {
    send_batches();
    if (submitter_.in_flight() > 0) {
      submitter_.run_for(turn);
    } else if (input_.at_end() && next_.empty()) {
      tally_.complete = true;
      return;
    } else {
      input_.wait(turn);
    }
    progress_.update(figures());
    if (should_stop()) return give_up(tally_.why);
    look_for_workers();
  }
}

// Waits for what is in flight and sends no more.
void Submission::drain() {
  while (submitter_.in_flight() > 0 && !should_stop()) {
    submitter_.run_for(turn);
    progress_.update(figures());
  }
}

void Submission::send_batches() {
  while (submitter_.in_flight() < options_.in_flight && read_batch()) send_batch();
}

// Whether there is a batch to send: a full one, or the last one, or what is there when nothing else is going
// on and the input keeps us waiting.
bool Submission::read_batch() {
  while (next_.size() < options_.batch_size) {
    std::optional<Task> task = input_.next();
    if (!task) break;
    ++read_;
    if (task->result) {
      tell({std::move(*task), {}});
      continue;
    }
    task->wants_output = task->wants_output && options_.wants_output;
    next_.push_back(std::move(*task));
  }
  if (next_.empty()) return false;
  return next_.size() == options_.batch_size || input_.at_end() || submitter_.in_flight() == 0;
}

void Submission::send_batch() {
  std::set<std::string> ids;
  for (const Task& task : next_) {
    if (!ids.insert(task.id).second)
      throw UsageError("The id " + task.id + " stands at two tasks; ids must differ.");
  }
  const std::string unique = new_id();
  submitter_.submit(options_.function, unique, encode_workload(next_));
  in_flight_.emplace(unique, std::exchange(next_, {}));
}

void Submission::answered(const BatchAnswer& answer) {
  last_answer_ = steady_clock::now();
  any_answer_ = true;
  auto batch = in_flight_.extract(answer.unique);
  progress_.make_room();
  std::vector<Task>& tasks = batch.mapped();
  const std::vector<std::string> problems = settle(tasks, answer);
  for (std::size_t i = 0; i < tasks.size(); ++i) tell({std::move(tasks[i]), problems[i]});
}

void Submission::tell(Outcome outcome) {
  if (outcome.succeeded()) {
    ++tally_.succeeded;
  } else if (outcome.task.result) {
    ++tally_.failed;
  } else {
    ++tally_.unanswered;
  }
  output_.add(outcome);
}

void Submission::give_up(const std::string& why) {
  progress_.make_room();
  tally_.why = why;
  for (auto& [unique, tasks] : std::exchange(in_flight_, {})) {
    for (Task& task : tasks) tell({std::move(task), "No answer came. " + why});
  }
  for (Task& task : std::exchange(next_, {})) tell({std::move(task), "It was not sent. " + why});
}

bool Submission::should_stop() {
  if (options_.reason_to_stop) tally_.why = options_.reason_to_stop();
  if (tally_.why.empty() && options_.timeout.count() > 0 && progress_.elapsed() >= options_.timeout) {
    tally_.why = "The time limit of " + std::to_string(options_.timeout.count()) + " s was reached.";
  }
  return !tally_.why.empty();
}

// gearmand queues jobs of a function that nobody has ever offered as it queues all others. A worker may still
// come, so this is told once and the submission waits.
void Submission::look_for_workers() {
  const bool in_flight = submitter_.in_flight() > 0;
  if (looked_for_workers_ || !in_flight || steady_clock::now() - last_answer_ < patience) return;
  looked_for_workers_ = true;
  for (const JobServer& server : options_.servers) {
    try {
      const std::string nobody = nobody_serves(server);
      if (!nobody.empty()) progress_.say(nobody);
      return;
    } catch (const std::runtime_error&) {
      // It is away, or without the administration protocol: the next one may tell.
    }
  }
}

// A sentence where nobody offers the function at this job server; nothing where somebody does. Throws
// std::runtime_error where the server does not tell.
std::string Submission::nobody_serves(const JobServer& server) const {
  std::vector<std::string> offered;
  for (const FunctionStatus& function : function_status(server, question_limit)) {
    const std::optional<std::string> ours = options_.prefix.function_of(function.name);
    if (function.workers > 0 && ours) offered.push_back(*ours);
  }
  if (std::ranges::find(offered, options_.function) != offered.end()) return {};
  const std::string& key = options_.prefix.text();
  const std::string named = key.empty() ? "" : " (as " + options_.prefix.on_server(options_.function) + ")";
  return "Nobody serves " + options_.function + named + " at " + server.name() +
         (offered.empty() ? ", nor any other function: start a worker with " + options_.start_worker + "."
                          : " yet.") +
         did_you_mean(options_.function, offered) + " Waiting for a worker" +
         (options_.timeout.count() > 0 ? "" : "; --timeout N gives up after N seconds") +
         "; Ctrl-C gives up at once.";
}

ProgressFigures Submission::figures() const {
  std::optional<std::size_t> total = input_.total();
  if (!total && input_.at_end()) total = read_;
  return {.done = tally_.answered() + tally_.unanswered,
          .failed = tally_.failed + tally_.unanswered,
          .total = total,
          .elapsed = {}};
}

}  // namespace quire
