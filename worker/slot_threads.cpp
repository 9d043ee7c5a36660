#include "worker/slot_threads.hpp"

#include <system_error>

namespace quire {

SlotThreads::~SlotThreads() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool SlotThreads::reserve(std::size_t threads) {
  const std::lock_guard lock(mutex_);
  while (threads_.size() < threads) {
    if (!add_thread()) return false;
  }
  return true;
}

void SlotThreads::run(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back(std::move(work));
  if (threads_.size() < busy_ + waiting_.size()) add_thread();
  changed_.notify_one();
}

bool SlotThreads::add_thread() {
  try {
    threads_.emplace_back([this] { serve(); });
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

void SlotThreads::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    ++busy_;
    const std::function<void()> work = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    work();
    lock.lock();
    --busy_;
  }
}

}  // namespace quire
