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
  explicit BackOff(std::chrono::milliseconds shortest = std::chrono::milliseconds(100),
                   std::chrono::milliseconds longest = std::chrono::milliseconds(30'000))
      : shortest_(shortest), longest_(longest), next_(shortest) {}

  void reset() { next_ = shortest_; }
  std::chrono::milliseconds next() {
    std::uniform_real_distribution<double> jitter(0.5, 1.0);
    const std::chrono::duration<double> pause = next_ * jitter(random_);
    next_ = std::min<std::chrono::milliseconds>(next_ * 2, longest_);
    return std::chrono::duration_cast<std::chrono::milliseconds>(pause);
  }

 private:
  std::chrono::milliseconds shortest_;
  std::chrono::milliseconds longest_;
  std::chrono::milliseconds next_;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace quire
