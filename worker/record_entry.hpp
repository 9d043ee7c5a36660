// One thing to record about a batch.
#pragma once

#include <string>
#include <vector>

#include "worker/batch.hpp"
#include "worker/task_record.hpp"

namespace quire {

struct RecordEntry {
  enum class Kind {
    begun,        // tasks are looked up; those that are to be run are about to be
    interrupted,  // tasks were cut short by a stop of the worker
    finished,     // the tasks of the batch that have a result have ended
    delivered,    // the reply has arrived, or has not
  };
  Kind kind = Kind::finished;
  const Batch* batch = nullptr;               // all but delivered
  const std::vector<Task*>* tasks = nullptr;  // of the batch: begun, interrupted
  TaskRecord::Begun* begun = nullptr;         // begun: what the store finds out
  Timestamp time{};
  std::string handle = {};  // delivered, as the next two
  std::string unique = {};
  bool has_arrived = false;
};

// For the log: "H:host:1 checksum_v0.0: the end of 128 tasks".
std::string describe(const RecordEntry& entry);

}  // namespace quire
