#include "worker/worker_presence.hpp"

#include <fcntl.h>

namespace quire {
namespace {

// Locks of the open file: they belong to all who have it from us, and not to one process.
struct flock byte_of(std::int64_t worker, short type) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = worker;
  lock.l_len = 1;
  return lock;
}

}  // namespace

WorkerPresence::WorkerPresence(const std::string& path, Access access)
    : file_(access == Access::hold ? ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640)
                                   : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}

bool WorkerPresence::hold(std::int64_t worker) {
  if (!file_) return true;
  struct flock wanted = byte_of(worker, F_WRLCK);
  if (::fcntl(file_.get(), F_OFD_SETLK, &wanted) != 0) return false;
  if (held_ != 0 && held_ != worker) {
    struct flock before = byte_of(held_, F_UNLCK);
    ::fcntl(file_.get(), F_OFD_SETLK, &before);
  }
  held_ = worker;
  return true;
}

bool WorkerPresence::is_alive(std::int64_t worker) const {
  if (!file_) return false;
  struct flock lock = byte_of(worker, F_WRLCK);
  return ::fcntl(file_.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

}  // namespace quire
