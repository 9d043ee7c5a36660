// Turns among the workers that write one file. SQLite lets whoever asks at the right moment have the file
// next, so one that has much to write could keep the others waiting for seconds. Here the next one is chosen
// while the file is still written, and whoever has just written stands behind all that wait already.
#pragma once

#include <chrono>
#include <string>

#include "worker/host/descriptor.hpp"

namespace quire {

class WriteTurn {
 public:
  // Being the next one, or one of those who have waited in vain; lets go of it at its end.
  class Held {
   public:
    explicit Held(const Descriptor* file) : file_(file) {}
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    ~Held();

   private:
    const Descriptor* file_;  // nullptr: the turn is not ours
  };

  // path: the file beside the record that WorkerPresence has made. Without it everybody is next.
  explicit WriteTurn(const std::string& path);

  // Waits to be the next one, but not for longer than this: who is may have been stopped. To be let go of as
  // soon as the file is ours, or cannot be had. This object must outlive it.
  [[nodiscard]] Held take(std::chrono::milliseconds longest);

 private:
  // Of our own, not shared with hosts: a host that outlives us must not be next for ever.
  Descriptor file_;
};

}  // namespace quire
