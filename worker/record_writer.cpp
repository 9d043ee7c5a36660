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

std::string describe(const RecordEntry& entry) {
  return entry.batch->handle + " " + entry.batch->function + ": the " +
         (entry.kind == RecordEntry::Kind::started ? "start" : "end") + " of " +
         std::to_string(entry.tasks == nullptr ? entry.batch->tasks.size() : entry.tasks->size()) + " tasks";
}

}  // namespace

RecordWriter::RecordWriter(RecordStore& store, std::shared_ptr<spdlog::logger> log, milliseconds patience)
    : store_(store), log_(std::move(log)), patience_(patience), thread_([this] { run(); }) {
  const std::lock_guard lock(mutex_);
  state_.since = now();
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
  arrived_.notify_one();
  done_.wait(lock, [&] { return request.done; });
}

RecordState RecordWriter::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

std::size_t RecordWriter::waiting() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

// Takes all that has arrived, writes it, wakes those who wait for it; ends when it is told to and nothing is
// left.
void RecordWriter::run() {
  std::vector<Request*> group;
  std::vector<RecordEntry> entries;
  std::unique_lock lock(mutex_);
  for (;;) {
    arrived_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    group.clear();
    group.swap(queue_);
    lock.unlock();

    entries.clear();
    for (const Request* request : group) entries.push_back(request->entry);
    write_group(entries);

    lock.lock();
    for (Request* request : group) request->done = true;
    done_.notify_all();
  }
}

// One transaction for all; where that fails one for each, so that a batch which cannot be written (a text
// beyond the store's limit, say) takes no other with it.
void RecordWriter::write_group(std::span<const RecordEntry> entries) {
  try {
    write_patiently(entries);
    return committed(entries.size());
  } catch (const RecordBusy& error) {
    return lost(entries, error.what());
  } catch (const std::exception& error) {
    if (entries.size() == 1) return lost(entries, error.what());
  }
  for (std::size_t i = 0; i < entries.size(); ++i) write_group(entries.subspan(i, 1));
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
  const std::uint64_t lost = state_.entries_lost;
  lock.unlock();
  log_->warn("The {} is written again; until now {} starts and ends of batches were not recorded.",
             store_.name(), lost);
}

void RecordWriter::lost(std::span<const RecordEntry> entries, const std::string& reason) {
  std::unique_lock lock(mutex_);
  state_.entries_lost += entries.size();
  state_.problem = "The " + store_.name() + " cannot be written: " + reason + ".";
  const bool news = std::exchange(state_.healthy, false);
  if (news) state_.since = now();
  lock.unlock();
  if (news) {
    log_->error(
        "The {} cannot be written: {}. Tasks are run and answered all the same, but what becomes of them is "
        "not recorded until this is mended.",
        store_.name(), reason);
  }
  // After the first one these are many, and all say the same.
  const auto level = news ? spdlog::level::err : spdlog::level::debug;
  for (const RecordEntry& entry : entries) log_->log(level, "{} is not recorded.", describe(entry));
}

}  // namespace quire
