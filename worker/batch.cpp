#include "worker/batch.hpp"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <utility>

#include "common/command_line.hpp"
#include "common/text.hpp"
#include "worker/batch_reader.hpp"

namespace quire {

namespace {

char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// A task whose id stands again later is answered once, in its first place, and as failed: which of the two
// was meant is not ours to guess.
void join_duplicates(std::vector<Task>& tasks) {
  boost::unordered_flat_map<std::string_view, Task*> first_with_id;
  first_with_id.reserve(tasks.size());
  std::vector<Task*> firsts;
  firsts.reserve(tasks.size());
  for (Task& task : tasks) {
    const auto [first, is_new] = first_with_id.emplace(task.id, &task);
    if (is_new) {
      firsts.push_back(&task);
    } else {
      first->second->result.reset();
      first->second->fail("The task cannot be run: its id stands more than once in the batch.");
    }
  }
  if (firsts.size() == tasks.size()) return;

  std::vector<Task> joined;
  joined.reserve(firsts.size());
  for (Task* task : firsts) joined.push_back(std::move(*task));
  tasks = std::move(joined);
}

// Fills in the task's words, or its result where it has none.
void find_words(Task& task, Placeholders& placeholders) {
  if (task.id.empty()) return task.fail("The task cannot be run: its id is empty.");
  if (task.created_date.empty() && task.arguments.find("%jobCreatedDate%") != std::string::npos) {
    return task.fail(
        "The task cannot be run: its arguments ask for %jobCreatedDate% and it has no \"createdDate\".");
  }

  placeholders.task_uuid = task.id;
  placeholders.job_created_date = task.created_date;
  constexpr std::size_t length_of_date = 10;
  if (!task.created_date.empty()) placeholders.job_created_date[length_of_date] = ' ';
  try {
    task.words = parse_arguments(task.arguments, placeholders);
  } catch (const UnbalancedArguments& error) {
    task.fail(std::string("The arguments cannot be split (") + error.what() +
              "): " + excerpt(task.arguments, 1000));
  }
}

}  // namespace

void Task::fail(std::string_view reason, std::int64_t exit_code) {
  if (!result) result.emplace();
  result->exit_code = exit_code;
  if (!result->error.empty() && result->error.back() != '\n') result->error += '\n';
  result->error.append(reason) += '\n';
  if (!result->finished) result->finished = now();
}

void Task::cancel(std::string_view reason) {
  fail(reason, cancelled_exit_code);
  result->ended_by = "cancelled";
}

std::vector<Task*> Batch::unanswered() {
  std::vector<Task*> found;
  for (Task& task : tasks) {
    if (!task.result) found.push_back(&task);
  }
  return found;
}

Batch decode_batch(const Delivery& delivery, const ArgumentSettings& settings) {
  Batch batch{.function = delivery.function,
              .handle = delivery.handle,
              .unique = delivery.unique,
              .tasks = {},
              .workload = delivery.workload};
  std::transform(batch.function.begin(), batch.function.end(), batch.function.begin(), ascii_lower);

  WorkloadText text = read_workload(delivery.workload);
  if (text.tasks.empty()) {
    throw UnreadableBatch(text.mistake.empty() ? "The batch cannot be read: its \"tasks\" is empty."
                                               : text.mistake);
  }
  batch.tasks = std::move(text.tasks);
  join_duplicates(batch.tasks);
  if (!text.mistake.empty()) {
    for (Task& task : batch.tasks) {
      task.result.reset();
      task.fail(text.mistake);
    }
  }

  Placeholders placeholders{.shared_path = settings.shared_directory,
                            .client_scripts_directory = settings.client_scripts_directory,
                            .client_assets_directory = settings.client_assets_directory,
                            .date = iso8601(now()),
                            .task_uuid = {},
                            .job_created_date = {}};
  for (Task& task : batch.tasks) {
    if (!task.result) find_words(task, placeholders);
  }
  return batch;
}

}  // namespace quire
