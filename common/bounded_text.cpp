#include "common/bounded_text.hpp"

#include <algorithm>

namespace quire {
namespace {

bool continues_a_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

constexpr std::size_t longest_character = 4;

// To leave out less than the line that tells of it takes would be of no use; and a text that was cut already
// is not cut once more.
constexpr std::size_t slack = 128;

}  // namespace

void BoundedText::append(std::string_view bytes) {
  total_ += bytes.size();
  if (limit_ == 0) {
    head_ += bytes;
    return;
  }
  const std::size_t room = limit_ - limit_ / 2 - head_.size();
  head_ += bytes.substr(0, room);
  if (bytes.size() <= room) return;
  bytes.remove_prefix(room);

  const std::size_t kept = limit_ / 2 + slack;
  if (bytes.size() >= kept) {
    tail_ = bytes.substr(bytes.size() - kept);
    return;
  }
  tail_ += bytes;
  if (tail_.size() > 2 * kept) tail_.erase(0, tail_.size() - kept);
}

std::string_view BoundedText::kept_head() const {
  std::string_view head = head_;
  // A character of which the rest is left out goes with it.
  std::size_t begin = head.size();
  while (begin > 0 && head.size() - begin < longest_character && continues_a_character(head[begin - 1]))
    --begin;
  if (begin == 0) return head;
  const auto lead = static_cast<unsigned char>(head[begin - 1]);
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
  return head.size() - (begin - 1) < length ? head.substr(0, begin - 1) : head;
}

std::string_view BoundedText::kept_tail() const {
  std::string_view tail = tail_;
  tail.remove_prefix(tail.size() - std::min(tail.size(), limit_ / 2));
  std::size_t broken = 0;
  while (broken < std::min(tail.size(), longest_character - 1) && continues_a_character(tail[broken]))
    ++broken;
  tail.remove_prefix(broken);
  return tail;
}

bool BoundedText::is_whole() const { return limit_ == 0 || total_ <= limit_ + slack; }

std::size_t BoundedText::missing() const {
  if (is_whole()) return 0;
  return total_ - kept_head().size() - kept_tail().size();
}

std::string BoundedText::text() const {
  if (is_whole()) {
    std::string whole = head_;
    return whole += tail_;
  }
  const std::string_view head = kept_head();
  std::string text(head);
  if (!text.empty() && text.back() != '\n') text += '\n';
  text += "[quire: " + std::to_string(missing()) + " bytes are missing here: output_limit is " +
          std::to_string(limit_ / 1024) + " KiB]\n";
  return text += kept_tail();
}

std::string output_limit_remark(std::string_view what, std::size_t missing, std::size_t limit) {
  return "What was written to " + std::string(what) + " passed output_limit (" +
         std::to_string(limit / 1024) + " KiB): " + std::to_string(missing) +
         " bytes are missing in its middle.";
}

}  // namespace quire
