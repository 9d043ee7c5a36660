#include "worker/process_tree.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

namespace quire {

std::size_t count_processes(int pid, std::size_t enough) {
  std::vector<int> found{pid};
  for (std::size_t next = 0; next < found.size() && found.size() < enough; ++next) {
    // Children belong to the thread that started them.
    std::error_code gone;
    const std::filesystem::directory_iterator threads("/proc/" + std::to_string(found[next]) + "/task", gone);
    if (gone) continue;
    for (auto thread = begin(threads); thread != end(threads); thread.increment(gone)) {
      std::ifstream children(thread->path() / "children");
      for (int child; children >> child;) found.push_back(child);
      if (gone) break;
    }
  }
  return found.size();
}

}  // namespace quire
