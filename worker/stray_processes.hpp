// Processes whose parents have gone: those that scripts leave behind when their host dies come to the worker
// instead of to init, and are ended here. Lives on the main loop.
#pragma once

#include <functional>
#include <memory>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace quire {

class StrayProcesses {
 public:
  // ours: the process ids of the children that are none; called at every check.
  StrayProcesses(boost::asio::io_context& loop, std::function<std::vector<int>()> ours);
  ~StrayProcesses();

  // Ends and reaps all there are now.
  void end_all();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace quire
