#include "worker/subprocess_pool.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <future>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <system_error>

#include <spdlog/spdlog.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "worker/fingerprint.hpp"
#include "worker/split.hpp"
#include "worker/warm_host.hpp"
#include "worker/work_estimate.hpp"

namespace quire {

namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

constexpr auto idle_check_interval = std::chrono::seconds(10);

// The hosts of one module: one that takes new subsets, and those that only finish theirs.
struct HostGroup {
  Module module;
  Fingerprint fingerprint;
  std::unique_ptr<WarmHost> current;
  std::list<std::unique_ptr<WarmHost>> retired;
  bool exclusive_running = false;
  WorkEstimate estimate;
  Clock::time_point last_used = Clock::now();
};

// One batch on its way through the pool.
struct BatchRun {
  HostGroup* group;
  std::string function;
  std::string handle;
  std::vector<Task*> tasks;
  bool divided = false;
  bool exclusive = true;
  bool independent = false;
  std::deque<std::vector<Task*>> pending;  // subsets that wait for their turn
  std::size_t running = 0;
  std::promise<void> done;
};

}  // namespace

struct SubprocessPool::Impl {
  Impl(asio::io_context& io, const Settings& given, OutsideText on_text)
      : loop(io), settings(given), outside_text(std::move(on_text)), idle_timer(io) {}

  asio::io_context& loop;
  const Settings& settings;
  const OutsideText outside_text;
  std::map<std::string, HostGroup> groups;
  std::list<std::shared_ptr<BatchRun>> batches;  // in the order of their arrival
  std::size_t running = 0;
  std::uint64_t last_subset = 0;
  asio::steady_timer idle_timer;
  bool idle_timer_runs = false;

  mutable std::mutex mutex;
  std::map<std::string, bool>
      concurrent;  // module → whether it exports concurrent_instances; guarded by mutex

  void add(const std::shared_ptr<BatchRun>& batch, const Module& module) {
    HostGroup& group = groups[module.key()];
    group.module = module;
    retire_if_outdated(group);
    batch->group = &group;
    batches.push_back(batch);
    schedule();
  }

  // Start as many subsets as the budget allows, each time one of the batch that has the fewest running and,
  // among those, came first. A batch whose host is not ready, or whose script is running and must not run
  // twice, is passed over.
  void schedule() {
    while (running < settings.max_processes) {
      std::shared_ptr<BatchRun> next;
      // By copy: a batch that cannot be run at all is taken out of the list on the way.
      for (const std::shared_ptr<BatchRun>& batch : std::vector(batches.begin(), batches.end())) {
        if (!prepare(batch) || batch->pending.empty()) continue;
        if (batch->exclusive && batch->group->exclusive_running) continue;
        if (!next || batch->running < next->running) next = batch;
      }
      if (!next) break;
      start_subset(next);
    }
  }

  // Sees to it that the batch has a host and is divided. False when it cannot be started now.
  bool prepare(const std::shared_ptr<BatchRun>& batch) {
    if (batch->divided && batch->pending.empty()) return false;
    HostGroup& group = *batch->group;
    if (!group.current) {
      try {
        start_host(group);
      } catch (const std::system_error& error) {
        give_up(batch, "the host process of module " + group.module.name +
                           " could not be started: " + error.what() + ".");
      }
      return false;
    }
    if (group.current->state() != WarmHost::State::ready) return false;
    if (!batch->divided) divide(*batch);
    return true;
  }

  void divide(BatchRun& batch) {
    const host_protocol::Ready& description = batch.group->current->description();
    std::size_t instances = description.concurrent_instances;
    const auto found = settings.functions.find(batch.function);
    if (found != settings.functions.end() && found->second.concurrent_instances) {
      instances = *found->second.concurrent_instances;
    }
    batch.exclusive = instances == 0;
    batch.independent = description.independent;
    std::size_t parts = std::clamp<std::size_t>(instances, 1, settings.max_processes);
    // With other batches at hand the processors are busy anyway, and a process for a few quick jobs is
    // wasted.
    if (batches.size() > settings.max_processes) {
      parts = batch.group->estimate.worthwhile_parts(batch.tasks.size(), parts);
    }
    for (const std::span<Task*> subset : split(std::span(batch.tasks), parts)) {
      batch.pending.emplace_back(subset.begin(), subset.end());
    }
    batch.divided = true;
  }

  void start_subset(const std::shared_ptr<BatchRun>& batch) {
    HostGroup& group = *batch->group;
    const std::vector<Task*> tasks = std::move(batch->pending.front());
    batch->pending.pop_front();
    ++running;
    ++batch->running;
    group.last_used = Clock::now();
    if (batch->exclusive) group.exclusive_running = true;

    std::shared_ptr<Subset> subset;
    try {
      subset = std::make_shared<Subset>(loop, ++last_subset, batch->function, tasks);
    } catch (const std::system_error& error) {
      for (Task* task : tasks) task->fail(std::string("The task was not started: ") + error.what() + ".");
      subset_done(batch);
      return;
    }
    WarmHost& host = *group.current;
    // A module that must not be forked runs its subset in the host itself, which takes no other.
    if (host.description().fresh) group.retired.push_back(std::move(group.current));
    host.run(subset, [this, batch, subset, begin = Clock::now()](const SubsetEnd& end) {
      batch->group->estimate.observe(Clock::now() - begin, subset->size());
      subset_ended(batch, *subset, end);
    });
  }

  void subset_ended(const std::shared_ptr<BatchRun>& batch, Subset& subset, const SubsetEnd& end) {
    std::vector<Task*> again = subset.finish(end, batch->independent);
    if (end.how != SubsetEnd::How::ended || !end.status.success()) {
      spdlog::warn("{} {}: a subset of {} tasks (pid {}) did not end well: {}", batch->handle,
                   batch->function, subset.size(), subset.pid(),
                   end.how == SubsetEnd::How::not_started ? end.reason : end.status.describe());
    }
    const std::string text = subset.text_outside_jobs();
    if (!text.empty()) outside_text(batch->handle, batch->function, text);
    if (!again.empty()) batch->pending.push_front(std::move(again));
    subset_done(batch);
    schedule();
  }

  void subset_done(const std::shared_ptr<BatchRun>& batch) {
    --running;
    --batch->running;
    batch->group->last_used = Clock::now();
    if (batch->exclusive) batch->group->exclusive_running = false;
    if (batch->pending.empty() && batch->running == 0) complete(batch);
  }

  void complete(const std::shared_ptr<BatchRun>& batch) {
    batches.remove(batch);
    batch->done.set_value();
  }

  // Fails what of the batch has not been started.
  void give_up(const std::shared_ptr<BatchRun>& batch, const std::string& reason) {
    for (Task* task : batch->tasks) {
      if (!batch->divided) task->fail(reason);
    }
    for (const std::vector<Task*>& subset : batch->pending) {
      for (Task* task : subset) task->fail(reason);
    }
    batch->divided = true;
    batch->pending.clear();
    if (batch->running == 0) complete(batch);
  }

  void start_host(HostGroup& group) {
    group.fingerprint = fingerprint_of(group.module);
    group.current =
        std::make_unique<WarmHost>(loop, group.module, settings, [this, &group] { host_changed(group); });
    if (settings.host_idle_time > 0 && !idle_timer_runs) check_idle_hosts_later();
  }

  void host_changed(HostGroup& group) {
    if (group.current && group.current->state() == WarmHost::State::ready) {
      const std::lock_guard lock(mutex);
      concurrent[group.module.key()] = group.current->description().concurrent_instances > 0;
    }
    group.retired.remove_if([](const auto& host) { return host->state() == WarmHost::State::gone; });
    if (group.current && group.current->state() == WarmHost::State::gone) {
      const std::string reason = group.current->reason();
      group.current.reset();
      if (!reason.empty()) {
        spdlog::error("module {} cannot be used: {}", group.module.name, reason);
        for (const std::shared_ptr<BatchRun>& batch : std::vector(batches.begin(), batches.end())) {
          if (batch->group == &group) give_up(batch, reason);
        }
      }
    }
    // Not from here: the caller is the host itself.
    asio::post(loop, [this] { schedule(); });
  }

  // A host gives way to a new one when its script's file has changed or when it has served enough.
  void retire_if_outdated(HostGroup& group) {
    if (!group.current || group.current->state() != WarmHost::State::ready) return;
    const bool served_enough = settings.host_subsets > 0 && group.current->served() >= settings.host_subsets;
    if (served_enough || fingerprint_of(group.module) != group.fingerprint) retire(group);
  }

  void retire(HostGroup& group) {
    if (group.current->running() == 0) group.current->close();
    group.retired.push_back(std::move(group.current));
  }

  void check_idle_hosts_later() {
    idle_timer_runs = true;
    idle_timer.expires_after(idle_check_interval);
    idle_timer.async_wait([this](boost::system::error_code error) {
      if (error) return;
      bool hosts_left = false;
      for (auto& [key, group] : groups) {
        for (const auto& host : group.retired) {
          if (host->running() == 0) host->close();
        }
        const bool idle = group.current && group.current->state() == WarmHost::State::ready &&
                          group.current->running() == 0 &&
                          Clock::now() - group.last_used >= std::chrono::seconds(settings.host_idle_time);
        if (idle) retire(group);
        hosts_left = hosts_left || group.current || !group.retired.empty();
      }
      idle_timer_runs = false;
      if (hosts_left) check_idle_hosts_later();
    });
  }
};

SubprocessPool::SubprocessPool(asio::io_context& loop, const Settings& settings, OutsideText outside_text)
    : impl_(std::make_unique<Impl>(loop, settings, std::move(outside_text))) {}

SubprocessPool::~SubprocessPool() = default;

void SubprocessPool::run(const Module& module, const std::string& function, const std::string& handle,
                         const std::vector<Task*>& tasks) {
  if (tasks.empty()) return;
  const auto batch = std::make_shared<BatchRun>();
  batch->function = function;
  batch->handle = handle;
  batch->tasks = tasks;
  std::future<void> done = batch->done.get_future();
  asio::post(impl_->loop, [this, batch, module] { impl_->add(batch, module); });
  done.wait();
}

bool SubprocessPool::runs_concurrently(const Module& module, const std::string& function) const {
  const auto setting = impl_->settings.functions.find(function);
  if (setting != impl_->settings.functions.end() && setting->second.concurrent_instances) return true;
  const std::lock_guard lock(impl_->mutex);
  const auto found = impl_->concurrent.find(module.key());
  return found != impl_->concurrent.end() && found->second;
}

}  // namespace quire
