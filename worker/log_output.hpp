// Where the lines of the log go: standard error, or a file that may be moved away at any time.
#pragma once

#include <string>
#include <string_view>

#include "worker/host/descriptor.hpp"

namespace quire::logs {

// Not for several threads at once.
class Output {
 public:
  // Standard error.
  Output() = default;

  // A file, made (mode 0640) where it is missing, and appended to. Throws std::runtime_error with a sentence.
  explicit Output(const std::string& path);

  // Writes the line at once. A file that was moved or removed is made anew first. A line that the file does
  // not take (a full disk) goes to standard error.
  void write(std::string_view line);

 private:
  bool was_moved() const;

  std::string path_;
  Descriptor file_;
  std::string trouble_;  // why the file is not written, told once
};

}  // namespace quire::logs
