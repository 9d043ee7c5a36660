// Wakes a thread that waits in poll().
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

#include "worker/host/descriptor.hpp"

namespace quire {

// Any thread may ring; the one that waits polls descriptor() for reading.
class Bell {
 public:
  Bell() : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!descriptor_) throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  void ring() const { (void)!::write(descriptor_.get(), &one_, sizeof one_); }
  void silence() const {
    std::uint64_t count;
    (void)!::read(descriptor_.get(), &count, sizeof count);
  }
  int descriptor() const { return descriptor_.get(); }

 private:
  static constexpr std::uint64_t one_ = 1;
  Descriptor descriptor_;
};

}  // namespace quire
