#include "worker/worker_presence.hpp"

#include <fcntl.h>

#include "worker/byte_lock.hpp"

namespace quire {

WorkerPresence::WorkerPresence(const std::string& path, Access access)
    : file_(access == Access::hold ? ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640)
                                   : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}

bool WorkerPresence::hold(std::int64_t worker) {
  if (!file_) return true;
  if (!byte_lock::take(file_.get(), worker)) return false;
  if (held_ != 0 && held_ != worker) byte_lock::let_go(file_.get(), held_);
  held_ = worker;
  return true;
}

bool WorkerPresence::is_alive(std::int64_t worker) const {
  return file_ && byte_lock::is_taken(file_.get(), worker);
}

}  // namespace quire
