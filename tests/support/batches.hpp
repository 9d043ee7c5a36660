// Batches for tests of records.
#pragma once

#include <string>

#include "worker/batch.hpp"

namespace quire::test {

// A batch whose tasks are NAME-0, NAME-1, …
inline Batch make_batch(const std::string& name, std::size_t tasks) {
  Batch batch;
  batch.function = "checksum_v0.0";
  batch.handle = "H:host:" + name;
  batch.unique = "unique-" + name;
  for (std::size_t i = 0; i < tasks; ++i) {
    Task task;
    task.id = name + "-" + std::to_string(i);
    task.created_date = "2024-08-04T21:34:35.241750+00:00";
    task.arguments = "\"file " + std::to_string(i) + "\"";
    batch.tasks.push_back(task);
  }
  return batch;
}

// Gives every task a result that can be told from all others.
inline void answer(Batch& batch, std::int64_t exit_code = 0) {
  for (Task& task : batch.tasks) {
    TaskResult result;
    result.exit_code = exit_code;
    result.output = "output of " + task.id;
    result.error = "error of " + task.id;
    result.process_output = "process output";
    result.process_error = "process error";
    result.finished = parse_rfc3339("2024-08-04T21:44:55.661575+00:00");
    task.result = result;
  }
}

}  // namespace quire::test
