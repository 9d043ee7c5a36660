// Deletes tasks that have ended from a record, while workers write to it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/timestamp.hpp"
#include "worker/ended_tasks.hpp"
#include "worker/task_query.hpp"

namespace quire {

// Gives how many were deleted. In transactions of some milliseconds, between which workers have their turns.
// Where others hold the file it waits, and tells watch() ten times a second meanwhile. Throws
// std::runtime_error with a sentence when the record cannot be written, or not for half a minute; what was
// deleted before stays so.
std::uint64_t clear_record(const std::string& path, const EndedTasks& which, const DeletionWatch& watch = {});

// The same in a thread of its own, which begins at once.
class ClearingThread {
 public:
  enum class Phase { running, done, stopped, failed };
  struct State {
    Phase phase = Phase::running;
    DeletionProgress progress = {};
    std::string problem = {};  // failed: why, as a sentence
    Timestamp changed{};       // when the phase began
  };

  // ended: called by the thread as the last that it does; it must not throw.
  ClearingThread(std::string path, EndedTasks which, std::function<void(const State&)> ended);

  // Ends it before its next transaction.
  ~ClearingThread();
  ClearingThread(const ClearingThread&) = delete;
  ClearingThread& operator=(const ClearingThread&) = delete;

  // Has it end before its next transaction, and returns at once.
  void stop();

  State state() const;
  const EndedTasks& which() const;

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

// The same tasks for a reader, and perhaps some more: those that began before EndedTasks::before and ended
// later.
TaskFilter filter_of(const EndedTasks& which);

}  // namespace quire
