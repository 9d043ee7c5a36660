#include "worker/host/strays.hpp"

#include <sys/wait.h>

#include <csignal>
#include <fstream>
#include <vector>

namespace quire {

void end_children_but(const std::function<bool(pid_t)>& spared) {
  for (;;) {
    std::vector<pid_t> strays;
    std::ifstream children("/proc/thread-self/children");
    for (pid_t pid; children >> pid;) {
      if (!spared(pid) && ::kill(pid, SIGKILL) == 0) strays.push_back(pid);
    }
    if (strays.empty()) return;
    for (const pid_t pid : strays) ::waitpid(pid, nullptr, 0);
  }
}

}  // namespace quire
