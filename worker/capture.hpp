// What a subset's process writes to its own stdout or stderr: drained, so that it never waits for us for
// long, and told apart by job with the markers of the host protocol.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/bounded_text.hpp"
#include "worker/host/host_protocol.hpp"

namespace quire {

// Splits a stream with markers. A value; fed piece by piece, however the pieces are cut.
class CapturedText {
 public:
  // limit: how many bytes of each job's text are kept (bounded_text.hpp); 0: all.
  CapturedText(const host_protocol::Nonce& nonce, std::size_t jobs, std::size_t limit = 0)
      : nonce_(nonce), by_job_(jobs, BoundedText(limit)) {}

  void feed(std::string_view bytes);

  // No more will come: what was held back as the possible beginning of a marker is text after all.
  void finish();

  // The job whose scope is open according to the last marker; no_job when none is.
  std::uint32_t current_job() const { return current_; }

  const BoundedText& of_job(std::size_t job) const { return by_job_[job]; }

  // What was written while no job's scope was open: of much, the beginning and the end.
  std::string outside() const { return outside_.text(); }

 private:
  void append(std::string_view text);

  host_protocol::Nonce nonce_;
  std::vector<BoundedText> by_job_;
  BoundedText outside_{64 * 1024};
  std::string pending_;
  std::uint32_t current_ = host_protocol::no_job;
};

}  // namespace quire
