#include "worker/byte_lock.hpp"

#include <fcntl.h>

namespace quire::byte_lock {
namespace {

struct flock byte_at(off_t place, short type) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = place;
  lock.l_len = 1;
  return lock;
}

}  // namespace

bool take(int file, off_t place) {
  struct flock wanted = byte_at(place, F_WRLCK);
  return ::fcntl(file, F_OFD_SETLK, &wanted) == 0;
}

void let_go(int file, off_t place) {
  struct flock held = byte_at(place, F_UNLCK);
  ::fcntl(file, F_OFD_SETLK, &held);
}

bool is_taken(int file, off_t place) {
  struct flock asked = byte_at(place, F_WRLCK);
  return ::fcntl(file, F_OFD_GETLK, &asked) == 0 && asked.l_type != F_UNLCK;
}

}  // namespace quire::byte_lock
