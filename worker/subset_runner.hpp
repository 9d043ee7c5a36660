// The seam between the journey of a batch and the processes that run it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "worker/batch.hpp"
#include "worker/module.hpp"

namespace quire {

class SubsetRunner {
 public:
  virtual ~SubsetRunner() = default;

  // Runs the tasks with the module, divided into subsets, each in a process of its own; blocks until all of
  // them ended. Afterwards every task has a result, whatever happened, but those that were cut short since
  // the worker is being stopped.
  // function: job.args[0]; handle: for the log. Called by many threads at once.
  virtual void run(const Module& module, const std::string& function, const std::string& handle,
                   const std::vector<Task*>& tasks) = 0;
};

}  // namespace quire
