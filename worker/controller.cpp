#include <quire/controller.hpp>

#include <map>
#include <set>
#include <utility>

#include "common/timestamp.hpp"
#include "worker/job_server.hpp"
#include "worker/settings.hpp"
#include "worker/submitting.hpp"
#include "worker/workers_key.hpp"

namespace quire::controller {
namespace {

BatchSubmitter::Options gearman_options(const Submitter::Options& options) try {
  Settings settings;
  settings.workers_key = options.workers_key;
  settings.workers_key_root = options.workers_key_root;
  return {.servers = parse_job_servers(options.servers),
          .prefix = function_prefix(settings),
          .connection_limit = options.connection_limit};
} catch (const ConfigurationError& error) {
  throw std::invalid_argument(error.what());
}

Answer::Kind kind_of(BatchAnswer::Kind kind) {
  switch (kind) {
    case BatchAnswer::Kind::completed:
      return Answer::Kind::completed;
    case BatchAnswer::Kind::failed:
      return Answer::Kind::failed;
    case BatchAnswer::Kind::lost:
      break;
  }
  return Answer::Kind::lost;
}

Result result_of(quire::Task& task, std::string problem) {
  Result result{.task = std::move(task.id), .exit_code = std::nullopt, .problem = std::move(problem)};
  if (task.result) {
    result.exit_code = task.result->exit_code;
    result.output = std::move(task.result->output);
    result.error = std::move(task.result->error);
    if (task.result->finished) result.finished = iso8601(*task.result->finished);
  }
  return result;
}

}  // namespace

struct Submitter::Impl {
  Impl(const Options& options, Answered callback)
      : answered(std::move(callback)),
        submitter(gearman_options(options), [this](const BatchAnswer& answer) { hand_over(answer); }) {}

  void hand_over(const BatchAnswer& from) {
    std::vector<quire::Task> tasks = std::move(batches.extract(from.unique).mapped());
    Answer answer{
        .kind = kind_of(from.kind), .batch = from.unique, .handle = from.handle, .problem = from.reason};
    const std::vector<std::string> problems = settle(tasks, from);
    for (std::size_t i = 0; i < tasks.size(); ++i) answer.results.push_back(result_of(tasks[i], problems[i]));
    answered(answer);
  }

  const Answered answered;
  std::map<std::string, std::vector<quire::Task>> batches;  // by the unique id of the batch
  BatchSubmitter submitter;
};

Submitter::Submitter(const Options& options, Answered answered)
    : impl_(std::make_unique<Impl>(options, std::move(answered))) {}

Submitter::~Submitter() = default;

std::string Submitter::submit(const std::string& function, const std::vector<Task>& tasks) {
  if (tasks.empty()) throw std::invalid_argument("A batch without a task cannot be submitted.");
  std::set<std::string> ids;
  std::vector<quire::Task> batch;
  for (const Task& task : tasks) {
    if (task.id.empty() || !ids.insert(task.id).second) {
      throw std::invalid_argument("Every task needs an id of its own; \"" + task.id + "\" is none.");
    }
    quire::Task& copy = batch.emplace_back();
    copy.id = task.id;
    copy.arguments = task.arguments;
    copy.created_date = task.created_date.empty() ? iso8601(now()) : task.created_date;
    copy.wants_output = task.wants_output;
  }
  std::string unique = quire::new_id();
  impl_->submitter.submit(lower_case(function), unique, encode_workload(batch));
  impl_->batches.emplace(unique, std::move(batch));
  return unique;
}

std::size_t Submitter::in_flight() const { return impl_->submitter.in_flight(); }

void Submitter::run_for(std::chrono::milliseconds limit) try {
  impl_->submitter.run_for(limit);
} catch (const JobServerUnreachable& error) {
  throw Unreachable(error.what());
}

std::string quote(const std::vector<std::string>& words) { return quote_words(words); }

std::string new_id() { return quire::new_id(); }

}  // namespace quire::controller
