// What happened to every task, written down before it is answered.
#pragma once

#include <string>
#include <vector>

#include "worker/batch.hpp"

namespace quire {

class TaskRecord {
 public:
  virtual ~TaskRecord() = default;

  // The tasks are about to be run. Returns when this is on disk, or when it is known that it cannot be: a
  // record that fails costs no reply. Called by many threads at once; their batches share transactions.
  virtual void started(const Batch& batch, const std::vector<Task*>& tasks) = 0;

  // The tasks have their results, which are on disk when this returns (or it is known that they cannot be).
  // Called by many threads at once.
  virtual void finished(const Batch& batch) = 0;
};

}  // namespace quire
