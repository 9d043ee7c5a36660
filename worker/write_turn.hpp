// Turns among the workers that write one file. SQLite lets whoever asks at the right moment have the file
// next, so one that has much to write could keep the others waiting for seconds. Here the next one is chosen
// while the file is still written, and whoever has just written stands behind all that wait already.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "worker/host/descriptor.hpp"

namespace quire {

class WriteTurn {
 public:
  struct LetGo {
    void operator()(const Descriptor* file) const;
  };
  // Being the next one, until it is let go of; nullptr for who has waited in vain.
  using Held = std::unique_ptr<const Descriptor, LetGo>;

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
