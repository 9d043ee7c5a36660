// The rows of the SQLite record: how entries become rows, and what rows tell of tasks that come again.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "worker/record_writer.hpp"
#include "worker/sqlite_connection.hpp"
#include "worker/sqlite_record.hpp"
#include "worker/worker_presence.hpp"
#include "worker/write_turn.hpp"

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
  const std::string& path() const { return options_.path; }
  void write(std::span<const RecordEntry> entries, std::chrono::milliseconds wait) override;

 private:
  // A batch in hand: its row, and how often each of its tasks was begun, by their place; 0: it is not begun.
  // A hint that is checked when it is used: its transaction may have been undone, or the file replaced.
  struct InHand {
    std::int64_t batch = 0;  // 0: there is none
    std::vector<TaskHash> hashes = {};
    std::vector<std::uint32_t> attempts = {};
  };

  // What the file tells of an earlier delivery, read when a task of it comes again.
  struct Earlier {
    std::int64_t worker = 0;
    std::unordered_map<std::string, std::int64_t> ended = {};  // task → row
    std::map<std::string, Task> begun = {};                    // and not ended
    std::map<std::string, Task> interrupted = {};
    bool changed = false;  // some of it is not its own any more
  };
  using EarlierBatches = std::map<std::int64_t, Earlier>;

  // What earlier deliveries tell of a task.
  struct Fate {
    std::int64_t ended = 0;      // the row of its end; 0: it has none
    bool elsewhere = false;      // it runs in another worker
    std::int64_t begun = 0;      // the batch with which it was begun last; 0: it was not, or it was cut short
    std::uint32_t attempts = 0;  // how often it was begun
  };

  // Rows of EndedTasks that were written for a batch.
  struct Extent {
    std::int64_t first = 0;
    std::int64_t last = 0;
  };

  void connect(std::chrono::milliseconds wait);
  void register_worker(std::chrono::milliseconds wait);
  SQLite::Transaction begin_in_turn(std::chrono::milliseconds wait);
  void undo(std::span<const RecordEntry> entries);

  void write_begin(const RecordEntry& entry);
  void write_interruption(const RecordEntry& entry);
  void write_end(const RecordEntry& entry);
  void write_delivery(const RecordEntry& entry);
  void write_debt(const RecordEntry& entry);
  void write_payment(const RecordEntry& entry);
  void owe(const Task& task, std::int64_t row);
  void forget(const RecordEntry& entry);

  InHand* find_in_hand(const Batch& batch, const std::vector<TaskHash>& hashes);
  InHand find_in_file(const Batch& batch, const std::vector<TaskHash>& hashes, EarlierBatches& earlier);

  Fate look_up(const Task& task, TaskHash hash, EarlierBatches& earlier);
  Earlier& read_earlier(std::int64_t batch, EarlierBatches& earlier);
  void write_changes(const EarlierBatches& earlier);
  std::uint32_t count_attempts(const Task& task);
  void keep_attempt(const Task& task, std::int64_t batch);
  void answer(Task& task, std::int64_t row);
  void give_up(const Batch& batch, Task& task, std::uint32_t attempts);

  std::int64_t insert_batch(const Batch& batch, const std::string* start, const std::vector<TaskHash>& hashes,
                            std::string_view workload);
  bool finish_batch(const Batch& batch, std::int64_t number, const std::string& time);
  void extend_batch(std::int64_t number, Extent extent);
  std::int64_t insert_task(const Task& task, std::int64_t batch, std::uint32_t attempts, Timestamp now);
  void change_task(const Task& task, std::int64_t row, Timestamp now);
  void bind_result(SQLite::Statement& statement, const Task& task, Timestamp now);
  std::optional<Timestamp> created_time(const Task& task);

  const SqliteRecord::Options options_;
  const std::shared_ptr<spdlog::logger> log_;
  const std::string start_time_;
  std::optional<WorkerPresence> presence_;  // from the first time that the file was open
  std::optional<WriteTurn> turn_;           // likewise
  std::int64_t worker_ = 0;                 // our number in the file; 0: none yet
  // Nothing after an error, until the next write: a statement that broke off is not used again, and the file
  // may have been repaired, replaced or mounted anew by then.
  std::optional<RecordConnection> connection_;
  std::int64_t last_sequence_ = 0;  // of EndedTasks
  std::unordered_map<std::string, InHand> in_hand_;
  std::unordered_map<std::string, std::int64_t> awaiting_delivery_;  // batch → its number
  // Tasks of a batch have mostly the same time.
  std::string last_created_text_;
  std::optional<Timestamp> last_created_;
};

}  // namespace quire
