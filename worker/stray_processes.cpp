#include "worker/stray_processes.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>

#include <spdlog/spdlog.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "worker/log.hpp"
#include "worker/process_tree.hpp"

namespace quire {

struct StrayProcesses::Impl : std::enable_shared_from_this<StrayProcesses::Impl> {
  Impl(boost::asio::io_context& loop, std::function<std::vector<int>()> given)
      : ours(std::move(given)), child_ended(loop, SIGCHLD) {}

  // A host that has died is a child of ours that ends, and what it leaves behind ends or is found then.
  void listen() {
    child_ended.async_wait([self = shared_from_this()](boost::system::error_code error, int) {
      if (error) return;
      self->end_all();
      self->listen();
    });
  }

  void end_all() {
    const std::vector<int> known = ours();
    for (const int pid : children_of_this_process()) {
      if (std::ranges::find(known, pid) != known.end()) continue;
      // One that does not end at once is reaped when it tells us that it has.
      ::kill(pid, SIGKILL);
      if (::waitpid(pid, nullptr, WNOHANG) == pid)
        logs::host()->info("process {}: left behind by a host that died; ended", pid);
    }
  }

  const std::function<std::vector<int>()> ours;
  boost::asio::signal_set child_ended;
};

StrayProcesses::StrayProcesses(boost::asio::io_context& loop, std::function<std::vector<int>()> ours)
    : impl_(std::make_shared<Impl>(loop, std::move(ours))) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  impl_->listen();
}

StrayProcesses::~StrayProcesses() { impl_->child_ended.cancel(); }

void StrayProcesses::end_all() { impl_->end_all(); }

}  // namespace quire
