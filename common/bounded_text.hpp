// A text that may be longer than anybody wants to keep: beyond a limit its middle is left out, and says so.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace quire {

// Takes bytes piece by piece in memory that does not grow with what is left out. A value.
class BoundedText {
 public:
  // limit: how many bytes are kept, the first half and the last; a few more are no reason to cut. 0: all.
  explicit BoundedText(std::size_t limit = 0) : limit_(limit) {}

  void append(std::string_view bytes);

  // What was appended; of one beyond the limit the head and the tail, cut between characters, and between
  // them a line of its own: "[quire: 1234 bytes are missing here: output_limit is 16 KiB]".
  std::string text() const;

  // How many bytes text() leaves out.
  std::size_t missing() const;

  bool empty() const { return head_.empty(); }

 private:
  bool is_whole() const;
  std::string_view kept_head() const;
  std::string_view kept_tail() const;

  std::size_t limit_;
  std::size_t total_ = 0;
  std::string head_;
  std::string tail_;  // up to twice what is kept of it, so that it is seldom shortened
};

// The sentence that tells of it on a task's stderr. what: which text.
std::string output_limit_remark(std::string_view what, std::size_t missing, std::size_t limit);

}  // namespace quire
