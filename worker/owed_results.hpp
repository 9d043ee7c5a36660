// Pays what is owed to the controller's database: writes results there that it did not take when they came
// about, from the record, where they are noted (owed_table.hpp).
//
// So a result outlives the worker that had it: the next one on this record goes on where that one stopped.
// While nothing is owed this costs a look at an empty table now and then. Where several workers share a
// record one at a time pays.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "worker/back_off.hpp"
#include "worker/host/descriptor.hpp"
#include "worker/mariadb_record.hpp"
#include "worker/owed_table.hpp"
#include "worker/sqlite_record.hpp"

namespace quire {

class OwedResults {
 public:
  // Both must outlive it. Begins to pay in a thread of its own.
  OwedResults(SqliteRecord& own, MariadbRecord& database, std::shared_ptr<spdlog::logger> log);

  // Tells the log what is owed still.
  ~OwedResults();
  OwedResults(const OwedResults&) = delete;
  OwedResults& operator=(const OwedResults&) = delete;

  // Something has been noted as owed. Any thread; returns at once.
  void noted();

  // As it was at the last look, some seconds ago at most while something is owed. Any thread.
  Owed state() const;

 private:
  void run();
  bool pay();
  bool pay_in_turn();
  bool is_stopping() const;

  SqliteRecord& own_;
  MariadbRecord& database_;
  const std::shared_ptr<spdlog::logger> log_;

  mutable std::mutex mutex_;  // of the next four
  std::condition_variable changed_;
  bool stopping_ = false;
  bool noted_ = false;
  Owed state_;

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace quire
