#include "worker/batch_log.hpp"

#include <algorithm>
#include <string>

#include <spdlog/spdlog.h>

#include "common/plural.hpp"
#include "worker/log.hpp"

namespace quire {
namespace {

// The end of what a task wrote says why it failed; the whole of it is on record.
constexpr std::size_t longest_text = 32 * 1024;

// As many as the usual batch has tasks.
constexpr std::size_t most_ids = 128;

std::string ending(const std::string& text) {
  if (text.size() <= longest_text) return text;
  return std::string("…").append(text, text.size() - longest_text);
}

void append_text(std::string& line, const char* name, const std::string& text) {
  if (!text.empty()) line += std::string("; ") + name + ": " + ending(text);
}

// " (ID, ID)" of those that failed, or were cancelled.
std::string ids_of(const Batch& batch, bool cancelled) {
  std::string ids;
  std::size_t count = 0;
  for (const Task& task : batch.tasks) {
    if (task.result->exit_code == 0 || task.result->was_cancelled() != cancelled || ++count > most_ids)
      continue;
    ids += ids.empty() ? " (" : ", ";
    ids += task.id;
  }
  if (count > most_ids) ids += " and " + std::to_string(count - most_ids) + " more";
  return ids.empty() ? ids : ids + ")";
}

void tell(const Batch& batch, const Task& task, bool failed_output) {
  const logs::About about(batch.handle, batch.function, task.id);
  const TaskResult& result = *task.result;
  const char* const from = result.known_before() ? ", from the record" : "";
  if (failed_output && result.exit_code != 0 && !result.known_before()) {
    std::string texts;
    append_text(texts, "arguments", task.arguments);
    append_text(texts, "stdout", result.output);
    append_text(texts, "stderr", result.error);
    append_text(texts, "the process's stdout", result.process_output);
    append_text(texts, "the process's stderr", result.process_error);
    logs::batch()->warn("{} {}: task {} {} with exit code {}{}", batch.handle, batch.function, task.id,
                        result.was_cancelled() ? "was cancelled" : "failed", result.exit_code, texts);
  } else {
    logs::batch()->debug("{} {}: task {}: exit code {}{}", batch.handle, batch.function, task.id,
                         result.exit_code, from);
  }
}

}  // namespace

void tell(const Batch& batch, std::chrono::duration<double> taken, bool failed_output) {
  const auto count = [&](auto condition) { return std::ranges::count_if(batch.tasks, condition); };
  const auto cancelled = count([](const Task& task) { return task.result->was_cancelled(); });
  const auto failed = count([](const Task& task) { return task.result->exit_code != 0; }) - cancelled;
  const auto known = count([](const Task& task) { return task.result->known_before(); });
  if ((failed_output && failed + cancelled > 0) || logs::batch()->should_log(spdlog::level::debug)) {
    for (const Task& task : batch.tasks) tell(batch, task, failed_output);
  }
  logs::batch()->info(
      "{} {}: {}, {} failed{}{}, {:.3f} s{}", batch.handle, batch.function,
      counted(batch.tasks.size(), "task"), failed, ids_of(batch, false),
      cancelled == 0 ? "" : ", " + std::to_string(cancelled) + " cancelled" + ids_of(batch, true),
      taken.count(),
      known == 0 ? "" : "; " + std::to_string(known) + " had been run before, and are not run again");
}

}  // namespace quire
