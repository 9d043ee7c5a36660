// A host with the subsets that it runs. Lives on the main loop.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "worker/module_host.hpp"
#include "worker/subset.hpp"

namespace quire {

class WarmHost {
 public:
  enum class State { loading, ready, gone };

  // Starts the host; `changed` is called when the state has. The host may be destroyed from `changed` only
  // when it is gone. Throws std::system_error when no process can be started.
  WarmHost(boost::asio::io_context& loop, const Module& module, const Settings& settings,
           const ModuleHost::Options& options, std::function<void()> changed);
  ~WarmHost();
  WarmHost(const WarmHost&) = delete;
  WarmHost& operator=(const WarmHost&) = delete;

  State state() const { return state_; }
  const host_protocol::Ready& description() const { return description_; }  // REQUIRES: it has been ready
  int pid() const { return host_.pid(); }

  // How it ended: `why` is empty for a host that has been ready. REQUIRES: state() == gone
  const ModuleHost::End& end() const { return end_; }

  // Runs the subset; `ended` is called once, when its process has ended. A host that does not start it within
  // a minute is ended. REQUIRES: state() == ready, and for a module that must not be forked: nothing was run
  // before
  void run(std::shared_ptr<Subset> subset, std::function<void(SubsetEnd)> ended);

  // To the process group of a subset.
  void signal(const Subset& subset, int number);

  // It did not take a subset: that it has ended is about to be told.
  bool is_dying() const { return dying_; }

  std::size_t running() const { return running_.size(); }
  std::size_t served() const { return served_; }

  // Lets the host end by itself. REQUIRES: running() == 0
  void close() { host_.close(); }

 private:
  using Clock = std::chrono::steady_clock;
  struct Running {
    std::shared_ptr<Subset> subset;
    std::function<void(SubsetEnd)> ended;
    Clock::time_point sent;
  };

  void on_message(const host_protocol::HostMessage& message);
  void on_gone(const ModuleHost::End& end);
  void finish(std::uint64_t number, const SubsetEnd& how);
  void check_answers_later();

  State state_ = State::loading;
  host_protocol::Ready description_;
  ModuleHost::End end_;
  std::map<std::uint64_t, Running> running_;
  std::size_t served_ = 0;
  bool dying_ = false;
  std::function<void()> changed_;
  struct AnswerTimer;
  std::shared_ptr<AnswerTimer> answer_timer_;
  ModuleHost host_;
};

}  // namespace quire
