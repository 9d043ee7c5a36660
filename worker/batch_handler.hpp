// The journey of a batch, from what Gearman delivered to what it is answered: start reading here.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "worker/batch.hpp"
#include "worker/metrics.hpp"
#include "worker/site.hpp"
#include "worker/subset_runner.hpp"
#include "worker/task_record.hpp"
#include "worker/tasks_in_hand.hpp"

namespace quire {

class BatchHandler {
 public:
  // All must outlive the handler. metrics: null: nothing is counted.
  BatchHandler(SubsetRunner& runner, TaskRecord& record, Metrics* metrics = nullptr)
      : runner_(runner), record_(record), metrics_(metrics) {}

  struct Answer {
    enum class Kind {
      reply,        // every task has a result
      unreadable,   // no task could be read from the batch, so that the job is to be failed
      interrupted,  // the worker is being stopped: the batch is to be delivered again
    };
    Kind kind = Kind::unreadable;
    std::string reply = {};
  };

  // Runs a batch and gives its reply. Never throws. Called by many threads at once.
  Answer handle(const Delivery& delivery, const Site& site);

  // The worker is being stopped and the runner was interrupted: whoever waits for tasks of others waits no
  // more, for good. Any thread.
  void interrupt();

 private:
  // Until every task has its result: from the record, from whoever has it in hand, or by running it. False
  // when that was interrupted.
  bool bring_to_its_end(Batch& batch, const Site& site);
  void record_what_has_ended(Batch& batch);
  void run(Batch& batch, const std::vector<Task*>& tasks, const Site& site);
  Answer answer(Batch& batch, bool to_its_end, const Site& site);

  SubsetRunner& runner_;
  TaskRecord& record_;
  Metrics* const metrics_;
  TasksInHand in_hand_;
  std::atomic<bool> interrupted_ = false;
};

}  // namespace quire
