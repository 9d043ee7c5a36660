// One thing to record about a batch.
#pragma once

#include <cstdint>
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
    owed,         // our record: results of the batch are on record, and the controller's database lacks them;
                  // the database: here they are
    paid,         // the database has got the results of these rows
  };
  Kind kind = Kind::finished;
  const Batch* batch = nullptr;               // all but delivered and paid
  const std::vector<Task*>* tasks = nullptr;  // of the batch: begun, interrupted
  TaskRecord::Begun* begun = nullptr;         // begun: what the store finds out
  Timestamp time{};  // owed, in the database: when they began; the beginning of time where that is not known
  std::string handle = {};  // delivered, as the next two
  std::string unique = {};
  bool has_arrived = false;
  bool is_owed = false;                 // finished: the database lacks the results; noted with them
  std::string client = {};              // owed, in the database: who ran them
  std::vector<std::int64_t> rows = {};  // paid
  bool* unwritten = nullptr;  // becomes true where the entry cannot be written, which is then not kept either
};

// For the log: "H:host:1 checksum_v0.0: the end of 128 tasks".
std::string describe(const RecordEntry& entry);

}  // namespace quire
