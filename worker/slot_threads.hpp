// Threads that work on jobs: as many as there were ever jobs at once, and none before the first.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

namespace quire {

class SlotThreads {
 public:
  SlotThreads() = default;
  ~SlotThreads();  // waits for all work
  SlotThreads(const SlotThreads&) = delete;
  SlotThreads& operator=(const SlotThreads&) = delete;

  // Makes sure that there are so many threads; false when the system has none to give. Any thread.
  bool reserve(std::size_t threads);

  // Has the work done by a thread that is idle, or by a new one; where none can be started, as soon as one is
  // idle. Any thread.
  void run(std::function<void()> work);

 private:
  void serve();
  bool add_thread();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  std::list<std::thread> threads_;
  std::size_t busy_ = 0;
  bool ending_ = false;
};

}  // namespace quire
