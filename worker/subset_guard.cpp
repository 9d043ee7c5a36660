#include "worker/subset_guard.hpp"

#include <csignal>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "worker/process_tree.hpp"

namespace quire {
namespace {

namespace asio = boost::asio;

// Often enough that what forks without end does not become many thousands in between.
constexpr auto process_count_interval = std::chrono::milliseconds(20);

}  // namespace

struct SubsetGuard::Impl : std::enable_shared_from_this<SubsetGuard::Impl> {
  Impl(asio::io_context& loop, const Limits& given, Subset given_subset)
      : limits(given), subset(std::move(given_subset)), end_timer(loop), count_timer(loop) {}

  void start() {
    if (limits.time.count() > 0) {
      after(end_timer, limits.time, [this] {
        end("The time limit of this task's process was reached: time_limit = " +
                std::to_string(limits.time.count()) + " (seconds).",
            "time_limit");
      });
    }
    if (limits.processes > 0) count_later();
  }

  void end(const std::string& reason, const std::string& word) {
    if (!why.empty()) return;
    why = reason;
    cause = word;
    subset.signal(SIGTERM);
    after(end_timer, limits.grace, [this] { kill(); });
  }

  void kill() {
    subset.signal(SIGKILL);
    // Its process may not have been there to get the signal: a host that is busy may fork late.
    after(end_timer, std::chrono::seconds(1), [this] { kill(); });
  }

  void count_later() {
    after(count_timer, process_count_interval, [this] {
      const int pid = subset.pid();
      if (pid != 0 && count_processes(pid, limits.processes + 1) > limits.processes) {
        if (why.empty()) {
          cause = "process_limit";
          why = "This task's process started too many others: process_limit = " +
                std::to_string(limits.processes) + ".";
        }
        // At once: each moment of grace makes more of them.
        return kill();
      }
      count_later();
    });
  }

  template <typename Action>
  void after(asio::steady_timer& timer, std::chrono::milliseconds time, Action action) {
    timer.expires_after(time);
    timer.async_wait([self = shared_from_this(), action](boost::system::error_code error) {
      if (!error && self->watching) action();
    });
  }

  const Limits limits;
  const Subset subset;
  asio::steady_timer end_timer;
  asio::steady_timer count_timer;
  std::string why;
  std::string cause;
  bool watching = true;
};

SubsetGuard::SubsetGuard(asio::io_context& loop, const Limits& limits, Subset subset)
    : impl_(std::make_shared<Impl>(loop, limits, std::move(subset))) {
  impl_->start();
}

SubsetGuard::~SubsetGuard() {
  impl_->watching = false;
  impl_->end_timer.cancel();
  impl_->count_timer.cancel();
}

void SubsetGuard::end(const std::string& why, const std::string& cause) { impl_->end(why, cause); }
const std::string& SubsetGuard::why() const { return impl_->why; }
const std::string& SubsetGuard::cause() const { return impl_->cause; }

}  // namespace quire
