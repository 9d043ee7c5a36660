#include "worker/tasks_in_hand.hpp"

namespace quire {

std::vector<Task*> TasksInHand::claim(const std::vector<Task*>& tasks) {
  std::vector<Task*> claimed;
  claimed.reserve(tasks.size());
  const std::lock_guard lock(mutex_);
  for (Task* task : tasks) {
    Entry& entry = entries_[task->id];
    if (entry.task != nullptr && entry.task != task) continue;
    if (entry.task == nullptr) entry.result.reset();
    entry.task = task;
    claimed.push_back(task);
  }
  return claimed;
}

void TasksInHand::publish(const Batch& batch) {
  {
    const std::lock_guard lock(mutex_);
    for (const Task& task : batch.tasks) {
      const auto entry = entries_.find(task.id);
      if (entry != entries_.end() && entry->second.task == &task)
        entry->second.published = task.result.has_value();
    }
  }
  changed_.notify_all();
}

bool TasksInHand::wait_for(const std::vector<Task*>& tasks) {
  std::unique_lock lock(mutex_);
  std::vector<std::pair<Task*, Entry*>> waiting;  // entries that are waited for stay where they are
  for (Task* task : tasks) {
    const auto entry = entries_.find(task->id);
    if (entry == entries_.end() || entry->second.task == task) continue;  // it was released in between
    ++entry->second.waiting;
    waiting.emplace_back(task, &entry->second);
  }
  for (const auto& [task, entry] : waiting) {
    const auto ready = [each = entry] { return each->task == nullptr || each->published; };
    changed_.wait(lock, [&] { return interrupted_ || ready(); });
    if (ready()) {
      task->result = entry->task != nullptr ? entry->task->result : entry->result;
      // The batch that ran it sees to that.
      if (task->result) task->result->on_record = task->result->in_database = true;
    }
    if (--entry->waiting == 0 && entry->task == nullptr) entries_.erase(task->id);
  }
  return !interrupted_;
}

void TasksInHand::release(const Batch& batch) {
  bool waited_for = false;
  {
    const std::lock_guard lock(mutex_);
    for (const Task& task : batch.tasks) {
      const auto entry = entries_.find(task.id);
      if (entry == entries_.end() || entry->second.task != &task) continue;
      if (entry->second.waiting == 0) {
        entries_.erase(entry);
        continue;
      }
      entry->second = {.waiting = entry->second.waiting, .result = task.result};
      waited_for = true;
    }
  }
  if (waited_for) changed_.notify_all();
}

void TasksInHand::interrupt() {
  {
    const std::lock_guard lock(mutex_);
    interrupted_ = true;
  }
  changed_.notify_all();
}

}  // namespace quire
