// A pipe that a subset's process writes to, drained on the main loop so that it never waits for us for long.
#pragma once

#include <cstddef>
#include <memory>

#include "worker/capture.hpp"
#include "worker/host/host_protocol.hpp"

namespace boost::asio {
class io_context;
}

namespace quire {

class Drain {
 public:
  // nonce, jobs, limit: as CapturedText has them. Throws std::system_error when there are no descriptors.
  Drain(boost::asio::io_context& loop, const host_protocol::Nonce& nonce, std::size_t jobs,
        std::size_t limit);
  ~Drain();
  Drain(const Drain&) = delete;
  Drain& operator=(const Drain&) = delete;

  // The end for the process. It is ours until start(), and while we hold it the pipe does not end.
  int writing_end() const;

  // The process has its end now: drains from here on.
  void start();

  // Takes what is there now, so that text() is up to date, unless that is very much.
  void take();

  // Takes what is there now and closes.
  void finish();

  const CapturedText& text() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace quire
