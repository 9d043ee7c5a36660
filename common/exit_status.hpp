// How a process ended: with a code or by a signal, never both.
#pragma once

#include <cstdint>
#include <string>

namespace quire {

class ExitStatus {
 public:
  // status: what waitpid() gave.
  static ExitStatus from_wait(int status);
  static ExitStatus exited(int code) { return {code, 0}; }
  static ExitStatus signalled(int signal) { return {0, signal}; }

  bool success() const { return signal_ == 0 && code_ == 0; }
  bool by_signal() const { return signal_ != 0; }
  int code() const { return code_; }      // REQUIRES: !by_signal()
  int signal() const { return signal_; }  // REQUIRES: by_signal()

  // "ended by signal 11 (Segmentation fault)", "exited with code 3".
  std::string describe() const;

 private:
  ExitStatus(int code, int signal) : code_(code), signal_(signal) {}
  int code_;
  int signal_;
};

// The exit code of a task whose process ended like this before its script was done: 128+N for signal N,
// the process's own code, or 1 where that is 0, because such a task did not end well.
std::int64_t exit_code_of_unfinished(const ExitStatus& status);

// The exit code that goes on the wire: controllers take a negative one for success, so -1 becomes 255 and
// any other -N becomes 128+N. Codes that are not negative go through as they are.
std::int64_t wire_exit_code(std::int64_t code);

}  // namespace quire
