#include "common/exit_status.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <cstring>
#include <limits>

namespace quire {

ExitStatus ExitStatus::from_wait(int status) {
  return WIFSIGNALED(status) ? signalled(WTERMSIG(status)) : exited(WEXITSTATUS(status));
}

std::string ExitStatus::describe() const {
  if (!by_signal()) return "exited with code " + std::to_string(code_);
  std::string text = "ended by signal " + std::to_string(signal_);
  // Real-time signals have no description.
  if (const char* description = sigdescr_np(signal_)) text.append(" (").append(description).append(")");
  return text;
}

std::int64_t exit_code_of_unfinished(const ExitStatus& status) {
  if (status.by_signal()) return 128 + status.signal();
  return status.code() == 0 ? 1 : status.code();
}

std::int64_t wire_exit_code(std::int64_t code) {
  if (code >= 0) return code;
  if (code == -1) return 255;
  constexpr std::int64_t lowest = 128 - std::numeric_limits<std::int64_t>::max();
  return 128 - std::max(code, lowest);
}

}  // namespace quire
