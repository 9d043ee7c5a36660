// Two records as one: our own, and beside it the controller's database, which is shared by all hosts.
//
// Both are asked and both are written, side by side, so that the slower one alone costs time; begin() and
// finished() return when both have. What only one of them knows is written to the other when the batch ends.
// Results that the database does not take are noted in our own record as owed to it (owed_results.hpp).
#pragma once

#include <optional>

#include "worker/owed_results.hpp"
#include "worker/task_record.hpp"

namespace quire {

class PairedRecord : public TaskRecord {
 public:
  // All must outlive this.
  PairedRecord(SqliteRecord& own, MariadbRecord& database, OwedResults& owed)
      : own_(own), database_(database), debts_(Debts{own, database, owed}) {}

  // Nothing is noted: what the database does not take stays in memory.
  PairedRecord(TaskRecord& own, TaskRecord& database) : own_(own), database_(database) {}

  // A task whose end either of the two knows is answered. Where both do, the texts are those of our own
  // record, which keeps every byte; unless the exit codes differ: then it ended once more on another host,
  // and the database has that.
  Begun begin(const Batch& batch, const std::vector<Task*>& tasks) override;
  void interrupted(const Batch& batch, const std::vector<Task*>& tasks) override;
  void finished(const Batch& batch) override;
  void delivered(const std::string& handle, const std::string& unique, bool has_arrived) override;

 private:
  struct Debts {
    SqliteRecord& own;
    MariadbRecord& database;
    OwedResults& owed;
  };

  TaskRecord& own_;
  TaskRecord& database_;
  const std::optional<Debts> debts_;
};

}  // namespace quire
