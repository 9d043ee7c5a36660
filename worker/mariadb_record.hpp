// The controller's own record of tasks: the table Tasks of Archivematica and CCP in MariaDB or MySQL, as
// every worker of theirs writes it. Its rows are the controller's; a worker fills in start, end, exit code
// and texts.
//
// Several hosts share it, so a task that has ended on one of them is known on all.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "worker/mariadb_address.hpp"
#include "worker/owed_table.hpp"
#include "worker/record_writer.hpp"
#include "worker/task_record.hpp"

namespace quire {

class MariadbRecord : public TaskRecord {
 public:
  struct Options {
    MariadbAddress address;
    std::string client;  // who ran a task: "host:pid"
    bool capture_output = true;
    // For how long the database is waited for, when it is locked or gone, before batches go on without it.
    std::chrono::milliseconds patience{3'000};
    // Results that it does not take are noted elsewhere: finish() is called, not finished(). For messages.
    bool has_refuge = false;
  };

  // Connects. A server that is not there is tried again and again; what is to be written meanwhile is kept in
  // memory: see state(). Throws std::runtime_error with a sentence where an administrator has to change
  // something: the server refuses the user, or has no such database or table.
  MariadbRecord(const Options& options, std::shared_ptr<spdlog::logger> log);

  // REQUIRES: no thread is in begin(), interrupted() or finished()
  ~MariadbRecord() override;

  // Tasks that have ended according to the table get the result that stands there. Nothing is known here of
  // tasks that are begun elsewhere, or of attempts.
  Begun begin(const Batch& batch, const std::vector<Task*>& tasks) override;
  void interrupted(const Batch& batch, const std::vector<Task*>& tasks) override;
  // Writes results but those that are `in_database`.
  void finished(const Batch& batch) override;
  // As finished(); but what cannot be written now is not kept, and false is given.
  bool finish(const Batch& batch);
  // Writes results of an earlier time, with the start of their tasks and who ran them; not over ends that
  // came later. False where this cannot be done now.
  bool pay(const OwedBatch& owed);
  // The table has no place for it.
  void delivered(const std::string&, const std::string&, bool) override {}

  RecordState state() const;
  std::chrono::seconds busy_for() const;

  // For people: "database MCP at 10.0.0.7:3306".
  std::string name() const;

  // For people: "database MCP at 10.0.0.7:3306: written; …".
  std::string describe() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace quire
