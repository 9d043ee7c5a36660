// Runs subsets: warm hosts, one budget of running subsets for the whole worker, shared fairly among batches.
//
// Threads: run() may be called from any; everything else happens on the main loop, which must turn in another
// thread while run() waits.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "worker/settings.hpp"
#include "worker/subset_runner.hpp"

namespace boost::asio {
class io_context;
}

namespace quire {

class SubprocessPool final : public SubsetRunner {
 public:
  // Is told what a subset printed while no job's scope was open, on the main loop.
  using OutsideText = std::function<void(const std::string& handle, const std::string& function, const std::string& text)>;

  // Starts nothing yet: a host is started when the first batch for its module arrives.
  SubprocessPool(boost::asio::io_context& loop, const Settings& settings, OutsideText outside_text);

  // Ends all hosts. REQUIRES: no run() is under way
  ~SubprocessPool() override;

  void run(const Module& module, const std::string& function, const std::string& handle,
           const std::vector<Task*>& tasks) override;

  // Whether a second batch of the function could run beside a first one. False as long as the module has not
  // been loaded, for want of better knowledge. Any thread.
  bool runs_concurrently(const Module& module, const std::string& function) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace quire
