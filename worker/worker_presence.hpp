// How the workers that share a record see which of them live: each holds a lock on a byte of its own in a
// file beside the record. The kernel lets go of it when the last process ends that has the file open from us,
// the worker or one of its hosts, however that comes; and it does not matter in which container either side
// is.
#pragma once

#include <cstdint>
#include <string>

#include "worker/host/descriptor.hpp"

namespace quire {

class WorkerPresence {
 public:
  enum class Access {
    hold,  // for a worker: creates the file (mode 0640) where it is missing
    look,  // for who only asks who lives, and need not be allowed to write
  };
  // Where the file cannot be opened nobody is seen to live.
  explicit WorkerPresence(const std::string& path, Access access = Access::hold);

  // Holds the byte of this worker, and lets go of the one before. False when another one has it.
  bool hold(std::int64_t worker);

  // Whether another worker, or a host of one that has died, holds this byte.
  bool is_alive(std::int64_t worker) const;

  // For hosts, so that they hold what we hold; -1 where there is none.
  int descriptor() const { return file_.get(); }

 private:
  Descriptor file_;
  std::int64_t held_ = 0;  // 0: none
};

}  // namespace quire
