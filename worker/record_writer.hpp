// Group commit: what many threads have to record, written in as few transactions as possible.
//
// A caller waits until the transaction with its entry has been committed. Whoever comes when nothing is being
// written writes by itself: to wake a thread for it, and to be woken by that, takes as long as a small
// transaction. What arrives meanwhile goes into the next transaction, by the writer's own thread, so the more
// batches end at once, the less each one costs. What cannot be written is kept in memory and written when
// that is possible again.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "worker/back_off.hpp"
#include "worker/batch.hpp"
#include "worker/record_backlog.hpp"
#include "worker/record_entry.hpp"

namespace spdlog {
class logger;
}

namespace quire {

// Somebody else holds the store just now; to try again is worth while.
struct RecordBusy : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Where entries are kept. Used by one thread at a time, not always the same.
class RecordStore {
 public:
  virtual ~RecordStore() = default;

  // For people: "record /var/lib/quire/record.sqlite".
  virtual std::string name() const = 0;

  // Where that is kept which cannot be written.
  virtual std::string refuge() const { return "in memory"; }

  // Writes all entries in one transaction, or none of them. Where somebody else holds the store it waits for
  // at most `wait` and throws RecordBusy; any other exception means that to try at once again is of no use.
  // The next call starts afresh, so a store whose cause of trouble has gone works again.
  virtual void write(std::span<const RecordEntry> entries, std::chrono::milliseconds wait) = 0;
};

// How the record is doing, for whoever watches the worker.
struct RecordState {
  bool healthy = true;
  std::string problem;  // why it is not, as a sentence
  Timestamp since{};    // when that changed last
  std::uint64_t transactions = 0;
  std::uint64_t entries_written = 0;
  std::uint64_t entries_waiting = 0;  // kept in memory until the store can be written again
  std::uint64_t results_waiting = 0;  // of tasks, among them
  std::uint64_t entries_lost = 0;     // given up: their tasks were answered all the same
};

class RecordWriter {
 public:
  // patience: for how long a busy store is tried while all is well. problem: why the store cannot be written
  // at present; empty when it can. backlog_limit: how many bytes of entries are kept in memory.
  RecordWriter(RecordStore& store, std::shared_ptr<spdlog::logger> log, std::chrono::milliseconds patience,
               const std::string& problem = "", std::size_t backlog_limit = 64 * 1024 * 1024);

  // Writes what is left, where it can. REQUIRES: no thread is in record()
  ~RecordWriter();
  RecordWriter(const RecordWriter&) = delete;
  RecordWriter& operator=(const RecordWriter&) = delete;

  // Blocks until the entry has been committed, or is kept in memory. Never throws because of the store: the
  // first entry that cannot be written makes an error in the log and in state(), the first one that is
  // written again a notice.
  void record(const RecordEntry& entry);

  // Returns at once; the entry is written with the next one that somebody waits for, or a moment later.
  void post(RecordEntry entry);

  RecordState state() const;

  // For how long the transaction that is being written has been so; 0 when there is none.
  std::chrono::seconds busy_for() const;

  // How many entries have arrived and are in no transaction yet.
  std::size_t waiting() const;

 private:
  struct Request {
    const RecordEntry& entry;
    bool done = false;
    std::condition_variable woken = {};  // its own: nobody is woken for what others wait for
  };

  void run();
  void wait_for_work(std::unique_lock<std::mutex>& lock);
  void write_what_has_arrived(std::unique_lock<std::mutex>& lock);
  void take(const std::vector<RecordEntry>& entries);
  bool write_backlog();
  void keep(std::span<const RecordEntry> entries);
  bool write_group(std::span<const RecordEntry> entries, std::string& reason);
  void write_patiently(std::span<const RecordEntry> entries);
  void committed(std::size_t entries);
  void troubled(const std::string& reason);
  void lost(const RecordEntry& entry, const std::string& reason);

  RecordStore& store_;
  const std::shared_ptr<spdlog::logger> log_;
  const std::chrono::milliseconds patience_;
  RecordBacklog
      backlog_;  // of the thread that writes only, as the next two, or under the mutex while none does
  BackOff retry_pause_{std::chrono::milliseconds(100), std::chrono::milliseconds(5'000)};
  std::chrono::steady_clock::time_point retry_at_{};

  mutable std::mutex mutex_;  // of everything below
  std::condition_variable arrived_;
  std::vector<Request*> queue_;
  std::vector<RecordEntry> posted_;
  std::chrono::steady_clock::time_point posted_since_{};
  bool stopping_ = false;
  std::optional<std::chrono::steady_clock::time_point> busy_since_;  // while a thread writes
  RecordState state_;

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace quire
