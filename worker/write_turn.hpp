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
  // path: the file beside the record that WorkerPresence has made. Without it everybody is next.
  explicit WriteTurn(const std::string& path);

  // Waits to be the next one, but not for longer than this: who is may have been stopped. To be let go of as
  // soon as the file is ours, or cannot be had.
  void take(std::chrono::milliseconds longest);
  void let_go();

 private:
  // Of our own, not shared with hosts: a host that outlives us must not be next for ever.
  Descriptor file_;
};

}  // namespace quire
