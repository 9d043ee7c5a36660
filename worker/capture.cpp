#include "worker/capture.hpp"

#include <algorithm>

namespace quire {

namespace {

// The longest end of `text` that may be the beginning of `nonce`.
std::size_t possible_beginning(std::string_view text, std::string_view nonce) {
  for (std::size_t length = std::min(text.size(), nonce.size() - 1); length > 0; --length) {
    if (nonce.starts_with(text.substr(text.size() - length))) return length;
  }
  return 0;
}

}  // namespace

void CapturedText::feed(std::string_view bytes) {
  std::string joined;
  if (!pending_.empty()) {
    joined = std::move(pending_);
    joined += bytes;
    bytes = joined;
    pending_.clear();
  }
  const std::string_view nonce(nonce_.data(), nonce_.size());
  constexpr std::size_t marker_size = sizeof(host_protocol::Nonce) + sizeof(std::uint32_t);
  for (;;) {
    const std::size_t marker = bytes.find(nonce);
    if (marker == std::string_view::npos) {
      const std::size_t held = possible_beginning(bytes, nonce);
      append(bytes.substr(0, bytes.size() - held));
      pending_ = bytes.substr(bytes.size() - held);
      return;
    }
    append(bytes.substr(0, marker));
    bytes.remove_prefix(marker);
    if (bytes.size() < marker_size) {
      pending_ = bytes;
      return;
    }
    current_ = 0;
    for (std::size_t i = 0; i < sizeof current_; ++i) {
      current_ |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[nonce.size() + i])) << (8 * i);
    }
    if (current_ >= by_job_.size()) current_ = host_protocol::no_job;
    bytes.remove_prefix(marker_size);
  }
}

void CapturedText::finish() {
  append(pending_);
  pending_.clear();
}

void CapturedText::append(std::string_view text) {
  (current_ == host_protocol::no_job ? outside_ : by_job_[current_]).append(text);
}

}  // namespace quire
