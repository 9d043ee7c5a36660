#include "worker/process_tree.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

namespace quire {
namespace {

// Children belong to the thread that started them.
void append_children(const std::string& process, std::vector<int>& found) {
  std::error_code gone;
  std::filesystem::directory_iterator thread("/proc/" + process + "/task", gone);
  for (; !gone && thread != std::filesystem::directory_iterator(); thread.increment(gone)) {
    std::ifstream children(thread->path() / "children");
    for (int child; children >> child;) found.push_back(child);
  }
}

}  // namespace

std::size_t count_processes(int pid, std::size_t enough) {
  std::vector<int> found{pid};
  for (std::size_t next = 0; next < found.size() && found.size() < enough; ++next) {
    append_children(std::to_string(found[next]), found);
  }
  return found.size();
}

std::vector<int> children_of_this_process() {
  std::vector<int> found;
  append_children("self", found);
  return found;
}

}  // namespace quire
