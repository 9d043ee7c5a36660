// Group commit: what many threads have to record, written by one thread in as few transactions as possible.
//
// A caller waits until the transaction with its entry has been committed. Whatever else arrived while the
// writer was busy goes into its next transaction, so the more batches end at once, the less each one costs.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "worker/batch.hpp"

namespace spdlog {
class logger;
}

namespace quire {

// One thing to record about a batch.
struct RecordEntry {
  enum class Kind { started, finished };
  Kind kind;
  const Batch* batch;
  const std::vector<Task*>*
      tasks;  // started: those that are about to be run; finished: null, it is all of them
  Timestamp time;
};

// Somebody else holds the store just now; to try again is worth while.
struct RecordBusy : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Where entries are kept. Used by the writer's thread only.
class RecordStore {
 public:
  virtual ~RecordStore() = default;

  // For people: "record /var/lib/quire/record.sqlite".
  virtual std::string name() const = 0;

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
  std::uint64_t entries_lost = 0;  // given up: their tasks were answered all the same
};

class RecordWriter {
 public:
  // patience: for how long a busy store is tried before the entries are given up.
  RecordWriter(RecordStore& store, std::shared_ptr<spdlog::logger> log, std::chrono::milliseconds patience);

  // REQUIRES: no thread is in record()
  ~RecordWriter();
  RecordWriter(const RecordWriter&) = delete;
  RecordWriter& operator=(const RecordWriter&) = delete;

  // Blocks until the entry has been committed or given up. Never throws because of the store: the first entry
  // that is lost makes an error in the log and in state(), the first one that is written again a notice.
  void record(const RecordEntry& entry);

  RecordState state() const;

  // How many entries have arrived and are in no transaction yet.
  std::size_t waiting() const;

 private:
  struct Request {
    RecordEntry entry;
    bool done = false;
  };

  void run();
  void write_group(std::span<const RecordEntry> entries);
  void write_patiently(std::span<const RecordEntry> entries);
  void committed(std::size_t entries);
  void lost(std::span<const RecordEntry> entries, const std::string& reason);

  RecordStore& store_;
  const std::shared_ptr<spdlog::logger> log_;
  const std::chrono::milliseconds patience_;

  mutable std::mutex mutex_;  // of everything below
  std::condition_variable arrived_;
  std::condition_variable done_;
  std::vector<Request*> queue_;
  bool stopping_ = false;
  RecordState state_;

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace quire
