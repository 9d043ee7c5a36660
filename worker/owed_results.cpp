#include "worker/owed_results.hpp"

#include <fcntl.h>

#include <utility>

#include <spdlog/spdlog.h>

#include "common/plural.hpp"
#include "worker/byte_lock.hpp"

namespace quire {
namespace {

using std::chrono::milliseconds;

// How often somebody looks for what a worker has left that died.
constexpr std::chrono::seconds between_looks{60};

}  // namespace

OwedResults::OwedResults(SqliteRecord& own, MariadbRecord& database, std::shared_ptr<spdlog::logger> log)
    : own_(own), database_(database), log_(std::move(log)), state_(owed_in(own.path())) {
  if (state_.results > 0) {
    log_->warn(
        "{}, and were not written by the worker that had them; they follow as soon as the {} takes them.",
        state_.describe(), database_.name());
  }
  thread_ = std::thread([this] { run(); });
}

OwedResults::~OwedResults() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
  const Owed left = owed_in(own_.path());
  if (left.results == 0) return;
  log_->warn("{}; the next worker with the record {} writes them to the {}.", left.describe(), own_.path(),
             database_.name());
}

void OwedResults::noted() {
  const std::lock_guard lock(mutex_);
  if (std::exchange(noted_, true)) return;
  changed_.notify_one();
}

Owed OwedResults::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

bool OwedResults::is_stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

// Pays all that is owed; where that does not go it is tried again, ever more seldom.
void OwedResults::run() {
  BackOff pause{milliseconds(100), milliseconds(5'000)};
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    noted_ = false;
    lock.unlock();
    const bool all_paid = pay();
    lock.lock();
    if (all_paid) {
      pause.reset();
      changed_.wait_for(lock, between_looks, [&] { return stopping_ || noted_; });
    } else {
      changed_.wait_for(lock, pause.next(), [&] { return stopping_; });
    }
  }
}

// True when nothing is owed any more.
bool OwedResults::pay() {
  Owed owed = owed_in(own_.path());
  const bool paid = owed.results == 0 || pay_in_turn();
  if (owed.results > 0) owed = owed_in(own_.path());
  const std::lock_guard lock(mutex_);
  state_ = owed;
  return paid;
}

bool OwedResults::pay_in_turn() try {
  const Descriptor turn(::open((own_.path() + "-workers").c_str(), O_RDWR | O_CLOEXEC));
  // Without the file nobody can be asked, and to pay twice harms nobody.
  if (turn && !byte_lock::take(turn.get(), byte_lock::payer)) return false;
  std::size_t written = 0;
  for (;;) {
    const std::vector<OwedBatch> oldest = oldest_owed(own_.path());
    if (oldest.empty()) break;
    std::vector<std::int64_t> paid;
    bool goes_on = true;
    for (const OwedBatch& batch : oldest) {
      goes_on = !is_stopping() && database_.pay(batch);
      if (!goes_on) break;
      paid.insert(paid.end(), batch.results.begin(), batch.results.end());
    }
    if (!paid.empty()) own_.paid(paid);
    written += paid.size();
    // A record that cannot be written would show the same ones again.
    if (!goes_on || !own_.state().healthy) return false;
  }
  if (written > 0) {
    log_->info("The {} has been given {} that it was owed, where it has rows for their tasks.",
               database_.name(), counted(written, "result"));
  }
  return true;
} catch (const std::exception& error) {
  log_->warn("What is owed to the {} cannot be read: {}; this is tried again.", database_.name(),
             error.what());
  return false;
}

}  // namespace quire
