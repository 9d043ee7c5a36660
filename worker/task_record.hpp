// What happened to every task, written down before it is answered, and looked up before it is run.
#pragma once

#include <string>
#include <vector>

#include "worker/batch.hpp"

namespace quire {

class TaskRecord {
 public:
  virtual ~TaskRecord() = default;

  // What is to be done with tasks that have been delivered.
  struct Begun {
    std::vector<Task*> to_run;     // ours to run now; this is on record as one attempt more
    std::vector<Task*> elsewhere;  // another live worker of this record runs them: ask again later
  };

  // Looks the tasks up. One whose end is on record has that as its result afterwards; one that was begun as
  // often as it may be and never ended is failed, with its history. All others are in `Begun`. Returns when
  // this is on disk, or when it is known that it cannot be: a record that fails costs no reply, and all tasks
  // are then to be run. May be called again with what is left of a batch. Called by many threads at once;
  // their batches share transactions.
  virtual Begun begin(const Batch& batch, const std::vector<Task*>& tasks) = 0;

  // The worker is being stopped and has cut these short: that was no attempt. Blocks as begin() does.
  virtual void interrupted(const Batch& batch, const std::vector<Task*>& tasks) = 0;

  // All tasks have their results, which are on disk when this returns (or it is known that they cannot be).
  // Called by many threads at once.
  virtual void finished(const Batch& batch) = 0;

  // Whether the reply of a batch has reached the job server. Does not block.
  virtual void delivered(const std::string& handle, const std::string& unique, bool has_arrived) = 0;
};

}  // namespace quire
