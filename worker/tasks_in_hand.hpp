// Which tasks this worker is working on: one that is delivered a second time meanwhile is not run beside the
// first, but gets its result.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "worker/batch.hpp"

namespace quire {

class TasksInHand {
 public:
  // Of `tasks`, those that no other batch has in hand: they are this batch's now, until release().
  std::vector<Task*> claim(const std::vector<Task*>& tasks);

  // What the batch has results for, others may take them from now on. To be called before wait_for(): two
  // batches may wait for each other.
  void publish(const Batch& batch);

  // Waits for tasks that another batch has in hand, and gives each the result that it has there; one that
  // gets none keeps none and may be claimed. False when interrupt() was called.
  bool wait_for(const std::vector<Task*>& tasks);

  // The tasks of the batch are not in hand any more.
  void release(const Batch& batch);

  // Ends all waiting, for good.
  void interrupt();

 private:
  struct Entry {
    const Task* task = nullptr;  // who has it in hand; null: nobody any more
    bool published = false;
    std::size_t waiting = 0;
    std::optional<TaskResult> result = {};  // kept for those who wait
  };

  std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_map<std::string, Entry> entries_;  // by task id; those in hand, and those waited for
  bool interrupted_ = false;
};

}  // namespace quire
