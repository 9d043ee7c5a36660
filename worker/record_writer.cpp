#include "worker/record_writer.hpp"

#include <algorithm>
#include <utility>

#include <spdlog/spdlog.h>

namespace quire {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// A store known to be in trouble is tried briefly, because every batch pays for it with its time.
constexpr milliseconds wait_in_trouble{50};

// After this long a busy store is worth a line in the log, although nothing has been lost yet.
constexpr milliseconds worth_a_warning{2000};

// For how long an entry that nobody waits for may wait for company.
constexpr milliseconds company{100};

// How much of the backlog goes into one transaction.
constexpr std::size_t most_at_once = 256;

}  // namespace

RecordWriter::RecordWriter(RecordStore& store, std::shared_ptr<spdlog::logger> log, milliseconds patience,
                           const std::string& problem, std::size_t backlog_limit)
    : store_(store), log_(std::move(log)), patience_(patience), backlog_(backlog_limit) {
  state_.since = now();
  if (!problem.empty()) troubled(problem);
  thread_ = std::thread([this] { run(); });
}

RecordWriter::~RecordWriter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_one();
  thread_.join();
}

void RecordWriter::record(const RecordEntry& entry) {
  Request request{entry};
  std::unique_lock lock(mutex_);
  queue_.push_back(&request);
  if (busy_since_) {
    // The thread comes for it after the transaction that is being written.
    request.woken.wait(lock, [&] { return request.done; });
  } else {
    write_what_has_arrived(lock);
  }
}

void RecordWriter::post(RecordEntry entry) {
  const std::lock_guard lock(mutex_);
  if (posted_.empty()) {
    posted_since_ = steady_clock::now();
    arrived_.notify_one();  // it sets its clock
  }
  posted_.push_back(std::move(entry));
}

RecordState RecordWriter::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

std::chrono::seconds RecordWriter::busy_for() const {
  const std::lock_guard lock(mutex_);
  if (!busy_since_) return std::chrono::seconds(0);
  return std::chrono::duration_cast<std::chrono::seconds>(steady_clock::now() - *busy_since_);
}

std::size_t RecordWriter::waiting() const {
  const std::lock_guard lock(mutex_);
  return queue_.size() + posted_.size();
}

// Writes what others could not write by themselves; ends when it is told to and nothing is left.
void RecordWriter::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wait_for_work(lock);
    const bool last = stopping_ && queue_.empty();
    write_what_has_arrived(lock);
    if (last) return;
  }
}

// Until nobody writes and somebody waits, a posted entry has waited long enough, or the backlog is to be
// tried again.
void RecordWriter::wait_for_work(std::unique_lock<std::mutex>& lock) {
  for (;;) {
    auto until = steady_clock::time_point::max();
    if (!busy_since_) {
      if (stopping_ || !queue_.empty()) return;
      if (!posted_.empty()) until = posted_since_ + company;
      if (!backlog_.empty()) until = std::min(until, retry_at_);
      if (until <= steady_clock::now()) return;
    }
    if (until == steady_clock::time_point::max()) {
      arrived_.wait(lock);
    } else {
      arrived_.wait_until(lock, until);
    }
  }
}

// Takes all that has arrived, writes it, wakes those who wait for it. REQUIRES: nobody writes
void RecordWriter::write_what_has_arrived(std::unique_lock<std::mutex>& lock) {
  std::vector<Request*> group;
  group.swap(queue_);
  std::vector<RecordEntry> entries;
  entries.reserve(group.size() + posted_.size());
  for (const Request* request : group) entries.push_back(request->entry);
  for (RecordEntry& entry : posted_) entries.push_back(std::move(entry));
  posted_.clear();
  busy_since_ = steady_clock::now();
  lock.unlock();

  take(entries);

  lock.lock();
  busy_since_.reset();
  // With the lock held, since the request is gone once its caller has seen that it is done.
  for (Request* request : group) {
    request->done = true;
    request->woken.notify_one();
  }
  // The thread has not looked at its clock since, either.
  if (!queue_.empty() || !posted_.empty() || !backlog_.empty() || stopping_) arrived_.notify_one();
}

// What is kept goes first, so that nothing overtakes what happened before it.
void RecordWriter::take(const std::vector<RecordEntry>& entries) {
  std::string reason;
  if (!write_backlog()) return keep(entries);
  if (entries.empty() || write_group(entries, reason)) return;
  troubled(reason);
  keep(entries);
}

// True when nothing is left of it.
bool RecordWriter::write_backlog() {
  std::string reason;
  while (!backlog_.empty()) {
    const std::vector<RecordEntry> oldest = backlog_.oldest(most_at_once);
    if (!write_group(oldest, reason)) {
      troubled(reason);
      retry_at_ = steady_clock::now() + retry_pause_.next();
      return false;
    }
    backlog_.drop(oldest.size());
    const std::lock_guard lock(mutex_);
    state_.entries_waiting = backlog_.size();
    state_.results_waiting = backlog_.results();
  }
  retry_pause_.reset();
  return true;
}

// Without the store, the tasks of a batch are to be run, all but those of whose end we know.
void RecordWriter::keep(std::span<const RecordEntry> entries) {
  for (const RecordEntry& entry : entries) {
    if (entry.kind == RecordEntry::Kind::begun) {
      *entry.begun = {};
      for (Task* task : *entry.tasks) {
        if (task->result) continue;
        if (const TaskResult* known = backlog_.result_of(task->id)) {
          task->result = *known;
          task->result->on_record = true;
        } else {
          entry.begun->to_run.push_back(task);
        }
      }
    }
    if (entry.unwritten != nullptr) {
      *entry.unwritten = true;
      continue;
    }
    for (const std::string& what : backlog_.keep(entry)) {
      log_->error("{} is not recorded: more waits for the {} than memory is kept for.", what, store_.name());
      const std::lock_guard lock(mutex_);
      ++state_.entries_lost;
    }
  }
  if (retry_at_ <= steady_clock::now()) retry_at_ = steady_clock::now() + retry_pause_.next();
  const std::lock_guard lock(mutex_);
  state_.entries_waiting = backlog_.size();
  state_.results_waiting = backlog_.results();
}

// One transaction for all; where that fails one for each, so that a batch which cannot be written (a text
// beyond the store's limit, say) takes no other with it: it is lost when others can be written. False, with a
// reason, when none can.
bool RecordWriter::write_group(std::span<const RecordEntry> entries, std::string& reason) {
  try {
    write_patiently(entries);
    committed(entries.size());
    return true;
  } catch (const RecordBusy& error) {
    reason = error.what();
    return false;
  } catch (const std::exception& error) {
    reason = error.what();
    if (entries.size() == 1) return false;
  }
  std::vector<std::pair<const RecordEntry*, std::string>> failed;
  std::vector<const RecordEntry*> busy;
  for (const RecordEntry& entry : entries) {
    try {
      write_patiently({&entry, 1});
      committed(1);
    } catch (const RecordBusy&) {
      busy.push_back(&entry);
    } catch (const std::exception& error) {
      failed.emplace_back(&entry, error.what());
    }
    // Nothing can be written: to try the others would only cost time.
    if (&entry == &entries[1] && failed.size() + busy.size() == 2) return false;
  }
  if (failed.size() + busy.size() == entries.size()) return false;
  for (const auto& [entry, why] : failed) lost(*entry, why);
  for (const RecordEntry* entry : busy) keep({entry, 1});
  return true;
}

void RecordWriter::write_patiently(std::span<const RecordEntry> entries) {
  const bool healthy = state().healthy;
  const auto begin = steady_clock::now();
  const auto give_up = begin + patience_;
  bool warned = false;
  for (;;) {
    const auto left = std::chrono::duration_cast<milliseconds>(give_up - steady_clock::now());
    const milliseconds wait =
        std::clamp(left, milliseconds{0}, healthy ? milliseconds{1000} : wait_in_trouble);
    try {
      return store_.write(entries, wait);
    } catch (const RecordBusy& error) {
      if (!healthy || steady_clock::now() >= give_up) throw;
      if (!std::exchange(warned, warned || steady_clock::now() - begin >= worth_a_warning) && warned) {
        log_->warn("The {} is busy ({}); {} batches wait for it, for {} s at most.", store_.name(),
                   error.what(), entries.size(), patience_.count() / 1000);
      }
      std::this_thread::sleep_for(milliseconds{5});
    }
  }
}

void RecordWriter::committed(std::size_t entries) {
  std::unique_lock lock(mutex_);
  state_.transactions += 1;
  state_.entries_written += entries;
  if (state_.healthy) return;
  state_.healthy = true;
  state_.problem.clear();
  state_.since = now();
  const std::uint64_t waiting = state_.entries_waiting;
  const std::uint64_t lost = state_.entries_lost;
  lock.unlock();
  log_->warn(
      "The {} is written again; {} starts and ends of batches that have waited for it follow, {} were lost.",
      store_.name(), waiting, lost);
}

void RecordWriter::troubled(const std::string& reason) {
  std::unique_lock lock(mutex_);
  state_.problem = "The " + store_.name() + " cannot be written: " + reason + ".";
  if (!std::exchange(state_.healthy, false)) return;
  state_.since = now();
  lock.unlock();
  log_->error(
      "The {} cannot be written: {}. Tasks are run and answered all the same; what becomes of them is kept "
      "{} "
      "and recorded when this is mended, which is tried again and again.",
      store_.name(), reason, store_.refuge());
}

void RecordWriter::lost(const RecordEntry& entry, const std::string& reason) {
  log_->error("{} is not recorded: {}.", describe(entry), reason);
  const std::lock_guard lock(mutex_);
  ++state_.entries_lost;
}

}  // namespace quire
