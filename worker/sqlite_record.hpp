// The task record in a SQLite file of our own.
//
// Tasks, a view, has the columns of CONTRACT 5 under their own names, and ours; table Batches has a row for
// every delivery of a batch, Workers one for every worker that used the file. Times are UTC as "2024-08-04
// 21:44:55.661575". Texts are TEXT where they are UTF-8 without NUL, else a BLOB with the very bytes. The
// schema is at the top of sqlite_schema.cpp.
//
// The file is in WAL mode: other processes may read it at any time, and several workers may share one. What
// has been recorded survives the end of this process at any moment; a power cut can cost the last seconds.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "worker/record_writer.hpp"
#include "worker/task_record.hpp"

namespace quire {

class SqliteRecord : public TaskRecord {
 public:
  struct Options {
    std::string path;
    std::string client;  // who ran a task: "host:pid"
    // Record what tasks that ended well wrote, too. Errors of tasks that failed are always recorded.
    bool capture_output = true;
    std::chrono::milliseconds patience{
        30'000};                   // for how long a busy file is tried before a batch is given up
    std::size_t max_attempts = 2;  // how often a task is begun at most
  };

  // Opens the file, creating it (mode 0640) and its folder (0750) where they are missing, and brings an older
  // schema up to date. A file that is busy, full, corrupt or cannot be written is tried again and again, and
  // what happens meanwhile is kept in memory: see state(). Throws std::runtime_error with a sentence: the
  // file or its folder cannot be created, is another program's, or is one of a later version.
  SqliteRecord(Options options, std::shared_ptr<spdlog::logger> log);

  // REQUIRES: no thread is in begin(), interrupted() or finished()
  ~SqliteRecord() override;

  Begun begin(const Batch& batch, const std::vector<Task*>& tasks) override;
  void interrupted(const Batch& batch, const std::vector<Task*>& tasks) override;
  void finished(const Batch& batch) override;
  void delivered(const std::string& handle, const std::string& unique, bool has_arrived) override;

  // Results that the controller's database has not got are noted here (owed_table.hpp), so that they survive
  // the end of this process: those that are not `in_database`.
  void finished_and_owed(const Batch& batch);           // as finished(), in the same transaction
  void owed(const Batch& batch);                        // they are on record already
  void paid(const std::vector<std::int64_t>& results);  // the database has got them

  const std::string& path() const;

  RecordState state() const;

  // Held as long as this worker lives, and by hosts that get it: others see by it that its tasks still run.
  // -1: there is none.
  int presence_descriptor() const;

  // For how long the thread that writes has been at the same transaction.
  std::chrono::seconds busy_for() const;

  // For people: "record /var/lib/quire/record.sqlite: written, 2 entries waiting".
  std::string describe() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace quire
