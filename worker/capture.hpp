// What a subset's process writes to its own stdout or stderr: drained, so that it never waits for us for
// long, and told apart by job with the markers of the host protocol.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "worker/host/host_protocol.hpp"

namespace quire {

// Splits a stream with markers. A value; fed piece by piece, however the pieces are cut.
class CapturedText {
 public:
  CapturedText(const host_protocol::Nonce& nonce, std::size_t jobs) : nonce_(nonce), by_job_(jobs) {}

  void feed(std::string_view bytes);

  // No more will come: what was held back as the possible beginning of a marker is text after all.
  void finish();

  // The job whose scope is open according to the last marker; no_job when none is.
  std::uint32_t current_job() const { return current_; }

  const std::string& of_job(std::size_t job) const { return by_job_[job]; }

  // What was written while no job's scope was open.
  const std::string& outside() const { return outside_; }

 private:
  void append(std::string_view text);

  host_protocol::Nonce nonce_;
  std::vector<std::string> by_job_;
  std::string outside_;
  std::string pending_;
  std::uint32_t current_ = host_protocol::no_job;
};

}  // namespace quire
