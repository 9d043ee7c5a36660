// The rows of the SQLite record: how entries become rows, and what rows tell of tasks that come again.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "worker/record_writer.hpp"
#include "worker/sqlite_connection.hpp"
#include "worker/sqlite_record.hpp"
#include "worker/worker_presence.hpp"

namespace quire {

class SqliteStore final : public RecordStore {
 public:
  // Opens nothing yet.
  SqliteStore(const SqliteRecord::Options& options, std::shared_ptr<spdlog::logger> log);

  // Opens the file, creating it where it is missing, unless it is open. Throws SQLite::Exception,
  // std::system_error, and std::runtime_error where the file is not a record or one of a later version.
  void open(std::chrono::milliseconds wait);

  // Makes the file by which others see that this worker lives. open() does so too.
  void make_presence();
  int presence_descriptor() const { return presence_ ? presence_->descriptor() : -1; }

  std::string name() const override { return "record " + options_.path; }
  void write(std::span<const RecordEntry> entries, std::chrono::milliseconds wait) override;

 private:
  // Where the rows of a batch in hand are; a hint that is checked when it is used, since its transaction may
  // have been undone or the file replaced.
  struct Rows {
    std::int64_t batch = 0;
    std::unordered_map<std::string, std::int64_t> tasks = {};

    // 0 when it is not known; SQLite counts from 1.
    std::int64_t of(const std::string& id) const {
      const auto found = tasks.find(id);
      return found == tasks.end() ? 0 : found->second;
    }
  };

  void register_worker();

  void write_begin(const RecordEntry& entry);
  void write_interruption(const RecordEntry& entry);
  void write_end(const RecordEntry& entry);
  void write_delivery(const RecordEntry& entry);
  void forget(const RecordEntry& entry);

  enum class Fate { to_run, elsewhere, answered };
  Fate look_up(const Batch& batch, Task& task, Rows& rows, const std::string& time);
  void give_up(const Batch& batch, Task& task, std::int64_t sequence, std::int64_t attempts,
               const std::string& time);

  std::int64_t insert_batch(const Batch& batch, const std::string* start);
  bool finish_batch(const Batch& batch, std::int64_t number, const std::string& time);
  std::optional<std::int64_t> insert_task(const Batch& batch, const Task& task, std::int64_t number,
                                          const std::string* start);
  std::int64_t row_of_task(const Batch& batch, const Task& task, std::int64_t number);
  void bind_task(SQLite::Statement& statement, const Batch& batch, const Task& task, std::int64_t number,
                 const std::string* start);
  bool end_task(const Task& task, std::int64_t sequence, const std::string& now);

  const SqliteRecord::Options options_;
  const std::shared_ptr<spdlog::logger> log_;
  const std::string start_time_;
  std::optional<WorkerPresence> presence_;  // from the first time that the file was open
  std::int64_t worker_ = 0;                 // our number in the file; 0: none yet
  // Nothing after an error, until the next write: a statement that broke off is not used again, and the file
  // may have been repaired, replaced or mounted anew by then.
  std::optional<RecordConnection> connection_;
  std::unordered_map<std::string, Rows> rows_;                       // of batches in hand
  std::unordered_map<std::string, std::int64_t> awaiting_delivery_;  // batch → its number
};

}  // namespace quire
