// INT and TERM for a command that has something to finish first.
#pragma once

#include <atomic>
#include <csignal>

namespace quire {

// While it lives the first INT or TERM is remembered; the second one ends the process as ever. One at a time.
class InterruptWatch {
 public:
  InterruptWatch() {
    came_ = false;
    struct sigaction action {};
    action.sa_handler = [](int) { came_ = true; };
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    ::sigaction(SIGINT, &action, &before_int_);
    ::sigaction(SIGTERM, &action, &before_term_);
  }
  ~InterruptWatch() {
    ::sigaction(SIGINT, &before_int_, nullptr);
    ::sigaction(SIGTERM, &before_term_, nullptr);
  }
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;

  static bool came() { return came_; }

 private:
  // The handler may run on any thread.
  static inline std::atomic<bool> came_ = false;
  static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler must not wait");
  struct sigaction before_int_ {};
  struct sigaction before_term_ {};
};

}  // namespace quire
