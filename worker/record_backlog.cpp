#include "worker/record_backlog.hpp"

#include <algorithm>

#include "common/plural.hpp"

namespace quire {
namespace {

std::size_t size_of(const Task& task) {
  std::size_t size = sizeof task + task.id.size() + task.created_date.size() + task.arguments.size();
  if (task.result) {
    size += task.result->output.size() + task.result->error.size() + task.result->process_output.size() +
            task.result->process_error.size();
  }
  return size;
}

// What the record writes of a task.
Task copy_of(const Task& task) {
  Task copy = task;
  copy.words.clear();
  return copy;
}

}  // namespace

std::string describe(const RecordEntry& entry) {
  if (entry.kind == RecordEntry::Kind::delivered) return entry.handle + ": whether its reply has arrived";
  if (entry.kind == RecordEntry::Kind::paid) {
    return "That the database has got " + counted(entry.rows.size(), "result");
  }
  const std::size_t tasks = entry.tasks == nullptr ? entry.batch->tasks.size() : entry.tasks->size();
  return entry.batch->handle + " " + entry.batch->function + ": the " +
         (entry.kind == RecordEntry::Kind::finished || entry.kind == RecordEntry::Kind::owed ? "end"
                                                                                             : "start") +
         " of " + counted(tasks, "task");
}

std::vector<std::string> RecordBacklog::keep(const RecordEntry& entry) {
  auto kept = std::make_unique<Kept>(Kept{.entry = entry});
  kept->bytes =
      sizeof(Kept) + entry.handle.size() + entry.unique.size() + entry.rows.size() * sizeof entry.rows[0];
  if (entry.batch != nullptr) {
    kept->batch = {.function = entry.batch->function,
                   .handle = entry.batch->handle,
                   .unique = entry.batch->unique,
                   .tasks = {},
                   .workload = {}};
    for (const Task& task : entry.batch->tasks) kept->batch.tasks.push_back(copy_of(task));
    if (entry.tasks != nullptr) {
      const Task* const first = entry.batch->tasks.data();
      for (const Task* task : *entry.tasks) kept->tasks.push_back(&kept->batch.tasks[task - first]);
      kept->entry.tasks = &kept->tasks;
    }
    for (const Task& task : kept->batch.tasks) kept->bytes += size_of(task);
    kept->entry.batch = &kept->batch;
    if (entry.begun != nullptr) kept->entry.begun = &kept->begun;
    if (entry.kind == RecordEntry::Kind::finished) {
      for (const Task& task : kept->batch.tasks) {
        if (task.result && !task.result->on_record) results_.insert_or_assign(task.id, &*task.result);
      }
    }
  }
  bytes_ += kept->bytes;
  kept_.push_back(std::move(kept));

  std::vector<std::string> made_room;
  while (bytes_ > limit_ && !kept_.empty()) {
    made_room.push_back(describe(kept_.front()->entry));
    drop(1);
  }
  return made_room;
}

const TaskResult* RecordBacklog::result_of(const std::string& task) const {
  const auto found = results_.find(task);
  return found == results_.end() ? nullptr : found->second;
}

std::vector<RecordEntry> RecordBacklog::oldest(std::size_t most) const {
  std::vector<RecordEntry> entries;
  for (std::size_t i = 0; i < std::min(most, kept_.size()); ++i) entries.push_back(kept_[i]->entry);
  return entries;
}

void RecordBacklog::drop(std::size_t count) {
  for (; count > 0; --count) {
    for (const Task& task : kept_.front()->batch.tasks) {
      const auto found = results_.find(task.id);
      if (found != results_.end() && task.result && found->second == &*task.result) results_.erase(found);
    }
    bytes_ -= kept_.front()->bytes;
    kept_.pop_front();
  }
}

}  // namespace quire
