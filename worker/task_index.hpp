// By a task's id, the batches that it came with.
//
// Ids are random, so an index of them costs a page of its own for every task that is written: three times the
// price of the task's row. Instead each batch keeps the hashes of its ids in its own row (Batches.ids). Of
// the last batches they are in memory, too; many thousands at a time they are written as a run: sorted, in
// blocks of a page (TaskIds), never touched again. A filter in memory tells nearly every id that is new from
// those that are not, so the runs are read only for tasks that come again.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>

namespace quire {

// SQLite's integers have a sign. The same in every version: it stands in the file.
using TaskHash = std::int64_t;
TaskHash task_hash(std::string_view id);

// As they stand in Batches.ids: eight bytes each, the lowest first.
std::string bytes_of_hashes(const std::vector<TaskHash>& hashes);

// For whoever only reads the record: the batches of which one task has this hash, the last first. Nearly
// always it has the very id, too, unless it has been deleted since. Takes a few microseconds for each 65,536
// tasks of the record.
std::vector<std::int64_t> find_batches(SQLite::Database& database, TaskHash hash);

// The index of one connection that writes, whose end it must not outlive. After an error inside a transaction
// it may know of batches that are not there, and is of no use.
class TaskIndex {
 public:
  // Reads what earlier runs hold, unless nothing has been written yet.
  explicit TaskIndex(SQLite::Database& database);
  ~TaskIndex();

  // Reads what other workers have added. To be called at the start of each transaction that uses the index.
  void refresh();

  // The batch's row, which has these hashes in Batches.ids, was written in this transaction.
  void add(std::int64_t batch, const std::vector<TaskHash>& hashes);

  // As find_batches().
  std::vector<std::int64_t> batches_of(TaskHash hash);

  // Writes a run once much is in memory. To be called at the end of a transaction.
  void settle();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace quire
