// The record of a worker that keeps none (record = none): every task that is delivered is run, and nothing is
// written.
//
// So a task that is delivered again is run again, also when it has ended, and however often a worker died
// with it; what two workers of one site have in hand they do not know of each other. Within one worker a task
// never runs twice at once (tasks_in_hand.hpp).
#pragma once

#include "worker/task_record.hpp"

namespace quire {

class NoRecord final : public TaskRecord {
 public:
  Begun begin(const Batch&, const std::vector<Task*>& tasks) override {
    return {.to_run = tasks, .elsewhere = {}};
  }
  void interrupted(const Batch&, const std::vector<Task*>&) override {}
  void finished(const Batch&) override {}
  void delivered(const std::string&, const std::string&, bool) override {}
};

}  // namespace quire
