// A task record that tells the metrics how long batches wait for it.
#pragma once

#include "worker/metrics.hpp"
#include "worker/task_record.hpp"

namespace quire {

class TimedRecord final : public TaskRecord {
 public:
  // Both must outlive it.
  TimedRecord(TaskRecord& record, Metrics& metrics) : record_(record), metrics_(metrics) {}

  Begun begin(const Batch& batch, const std::vector<Task*>& tasks) override {
    const auto start = Clock::now();
    Begun begun = record_.begin(batch, tasks);
    metrics_.record_begun(Clock::now() - start);
    return begun;
  }

  void interrupted(const Batch& batch, const std::vector<Task*>& tasks) override {
    record_.interrupted(batch, tasks);
  }

  void finished(const Batch& batch) override {
    const auto start = Clock::now();
    record_.finished(batch);
    metrics_.record_finished(Clock::now() - start);
  }

  void delivered(const std::string& handle, const std::string& unique, bool has_arrived) override {
    record_.delivered(handle, unique, has_arrived);
  }

 private:
  using Clock = std::chrono::steady_clock;

  TaskRecord& record_;
  Metrics& metrics_;
};

}  // namespace quire
