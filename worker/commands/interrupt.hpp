// INT and TERM for a command that has something to finish first.
#pragma once

#include <csignal>

namespace quire {

// While it lives the first INT or TERM is remembered; the second one ends the process as ever. One at a time.
class InterruptWatch {
 public:
  InterruptWatch() {
    came_ = 0;
    struct sigaction action {};
    action.sa_handler = [](int) { came_ = 1; };
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

  static bool came() { return came_ != 0; }

 private:
  static inline volatile std::sig_atomic_t came_ = 0;
  struct sigaction before_int_ {};
  struct sigaction before_term_ {};
};

}  // namespace quire
