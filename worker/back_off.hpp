// How long to wait before the next try.
#pragma once

#include <algorithm>
#include <chrono>
#include <random>

namespace quire {

// How long to wait before the next try: twice as long each time, with jitter, so that many workers do not
// come back to a job server in step.
class BackOff {
 public:
  void reset() { next_ = shortest_pause; }
  std::chrono::milliseconds next() {
    std::uniform_real_distribution<double> jitter(0.5, 1.0);
    const std::chrono::duration<double> pause = next_ * jitter(random_);
    next_ = std::min<std::chrono::milliseconds>(next_ * 2, longest_pause);
    return std::chrono::duration_cast<std::chrono::milliseconds>(pause);
  }

 private:
  static constexpr std::chrono::milliseconds shortest_pause{100};
  static constexpr std::chrono::milliseconds longest_pause{30'000};

  std::chrono::milliseconds next_ = shortest_pause;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace quire
