// Lines from a file or a pipe, without ever waiting for them.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace quire {

class LineReader {
 public:
  // file: "-" for standard input. Throws std::system_error.
  LineReader(const std::string& file, char delimiter);
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  // The next line without its delimiter; valid until the next call. Nothing at the end, or when the rest of
  // the line is not there yet. The last line need not have a delimiter. Throws std::system_error.
  std::optional<std::string_view> next();
  bool at_end() const { return ended_ && position_ == buffer_.size(); }

  // The number of the line that next() gave last, counted from 1.
  std::size_t line() const { return line_; }

  // Waits for more to read; returns early when a signal comes.
  void wait(std::chrono::milliseconds limit) const;

  // Whether it is a file with an end that is known now, rather than a pipe or a terminal.
  bool is_regular() const;

 private:
  bool fill();  // false when nothing came

  int descriptor_;
  char delimiter_;
  std::string buffer_;
  std::size_t position_ = 0;  // of the first byte not handed out
  std::size_t searched_ = 0;  // no delimiter between position_ and here
  std::size_t line_ = 0;
  bool ended_ = false;
};

}  // namespace quire
