// Sees to it that a running subset keeps its limits of time and of processes, and ends it when it must end.
// Lives on the main loop.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "worker/limits.hpp"

namespace boost::asio {
class io_context;
}

namespace quire {

class SubsetGuard {
 public:
  struct Subset {
    std::function<int()> pid;         // 0: its process is not known yet
    std::function<void(int)> signal;  // to its process group
  };

  // Watches from now on.
  SubsetGuard(boost::asio::io_context& loop, const Limits& limits, Subset subset);

  // Watches no more.
  ~SubsetGuard();
  SubsetGuard(const SubsetGuard&) = delete;
  SubsetGuard& operator=(const SubsetGuard&) = delete;

  // TERM now and KILL after the grace period. why: a sentence for the stderr of its tasks; cause: in one word
  // (TaskResult::ended_by). The first ones stand.
  void end(const std::string& why, const std::string& cause = "");

  // Why the subset was ended from here; empty when it was not.
  const std::string& why() const;
  const std::string& cause() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace quire
