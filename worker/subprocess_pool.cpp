// One room although it is long: which batch may start a subset next, and what a subset's end means for its
// batch, are one set of rules over the same few numbers.
#include "worker/subprocess_pool.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <deque>
#include <future>
#include <iterator>
#include <list>
#include <map>
#include <mutex>
#include <system_error>
#include <unordered_map>

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "common/plural.hpp"
#include "worker/back_off.hpp"
#include "worker/host_environment.hpp"
#include "worker/host_group.hpp"
#include "worker/log.hpp"
#include "worker/metrics.hpp"
#include "worker/split.hpp"
#include "worker/subset_guard.hpp"
#include "worker/work_estimate.hpp"

namespace quire {

namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

constexpr auto idle_check_interval = std::chrono::seconds(10);

// How often a subset is given to a new host after one that died before it had begun.
constexpr std::size_t most_false_starts = 3;

// What a module has: its hosts, and what is known of its jobs.
struct Group {
  HostGroup hosts;
  bool exclusive_running = false;
  WorkEstimate estimate = {};
};

// One batch on its way through the pool.
struct BatchRun {
  Group* group = nullptr;
  std::string function;
  std::string handle;
  std::vector<Task*> tasks;
  Limits limits = {};
  bool divided = false;
  bool exclusive = true;
  bool independent = false;
  std::deque<std::vector<Task*>> pending = {};  // subsets that wait for their turn
  std::size_t running = 0;
  std::size_t false_starts = 0;
  std::promise<void> done = {};
};

struct RunningSubset {
  std::shared_ptr<BatchRun> batch;
  std::shared_ptr<Subset> subset;
  std::unique_ptr<SubsetGuard> guard;
  Clock::time_point begin = Clock::now();
};

// Whether a host of the module that was started with the one settings would be another one with the other.
bool start_differently(const Module& module, const Settings& one, const Settings& other) {
  return host_command(module, one) != host_command(module, other) ||
         host_environment(one) != host_environment(other) || one.no_new_privileges != other.no_new_privileges;
}

// A reason that may be a sentence, as a part of one.
std::string without_stop(std::string reason) {
  while (reason.ends_with('.')) reason.pop_back();
  return reason;
}

std::string ids_of(const std::vector<Task*>& tasks) {
  std::string ids;
  for (const Task* task : tasks) {
    if (!ids.empty()) ids += ", ";
    ids += task->id;
  }
  return ids;
}

// From the end of the first of them that has ended to that of the last one.
std::chrono::microseconds between_ends(const std::vector<Task*>& tasks) {
  std::optional<Timestamp> first, last;
  for (const Task* task : tasks) {
    if (!task->result || !task->result->finished) continue;
    const Timestamp end = *task->result->finished;
    first = std::min(first.value_or(end), end);
    last = std::max(last.value_or(end), end);
  }
  return first ? std::chrono::duration_cast<std::chrono::microseconds>(*last - *first)
               : std::chrono::microseconds(0);
}

bool is_shortage(const std::system_error& error) {
  const int code = error.code().value();
  return code == EAGAIN || code == ENOMEM || code == EMFILE || code == ENFILE || code == ENOBUFS ||
         code == ENOSPC;
}

}  // namespace

struct SubprocessPool::Impl {
  Impl(asio::io_context& io, const Settings& given, OutsideText on_text)
      : loop(io),
        settings(std::make_shared<const Settings>(given)),
        outside_text(std::move(on_text)),
        idle_timer(io),
        shortage_timer(io) {
    share(*settings);
  }

  asio::io_context& loop;
  std::shared_ptr<const Settings> settings;
  const OutsideText outside_text;
  int held_descriptor = -1;
  Metrics* metrics = nullptr;
  std::map<std::string, Group> groups;           // by the module's key
  std::list<std::shared_ptr<BatchRun>> batches;  // in the order of their arrival
  std::map<std::uint64_t, RunningSubset> running;
  std::uint64_t last_subset = 0;
  bool interrupted = false;
  asio::steady_timer idle_timer;
  bool idle_timer_runs = false;

  asio::steady_timer shortage_timer;
  BackOff shortage_pause{std::chrono::milliseconds(100), std::chrono::milliseconds(5'000)};
  std::atomic<bool> short_of_resources = false;

  // What other threads ask for.
  mutable std::mutex mutex;
  std::map<std::string, bool> concurrent;  // module → whether it exports concurrent_instances
  std::map<std::string, FunctionSettings> functions;

  void share(const Settings& given) {
    const std::lock_guard lock(mutex);
    functions = given.functions;
  }

  void add(const std::shared_ptr<BatchRun>& batch, const Module& module) {
    if (interrupted) return batch->done.set_value();
    Group& group = group_of(module);
    group.hosts.refresh(module, *settings);
    batch->group = &group;
    batch->limits = limits_of(*settings, batch->function);
    batches.push_back(batch);
    schedule();
  }

  Group& group_of(const Module& module) {
    const auto found = groups.find(module.key());
    if (found != groups.end()) return found->second;
    const std::string key = module.key();
    const HostGroup::Events events{
        .changed = [this, key] { host_changed(key); },
        .cannot_load = [this, key](const std::string& why) { give_up_all(groups.at(key), why); },
        .loaded =
            [this](const host_protocol::Ready& ready) {
              if (metrics == nullptr) return;
              for (const std::string& sample : ready.metrics) metrics->script_metrics().know(sample);
            },
        .started =
            [this] {
              if (metrics != nullptr) metrics->host_started();
            },
        .failed =
            [this] {
              if (metrics != nullptr) metrics->host_failed();
            }};
    return groups.try_emplace(key, Group{HostGroup(loop, module, held_descriptor, events)}).first->second;
  }

  // Whether the batch may start a process. Within the budget any may; beyond it one that has none, while
  // another has several: the system then shares the processors, so that a short batch does not wait for the
  // end of a long one's processes.
  bool may_start_another(const BatchRun& batch) const {
    if (running.size() < settings->max_processes) return true;
    return batch.running == 0 && running.size() < 2 * settings->max_processes &&
           std::ranges::any_of(batches, [](const auto& other) { return other->running > 1; });
  }

  // Start as many subsets as may be, each time one of the batch that has the fewest running and, among those,
  // came first. A batch whose host is not ready, or whose script is running and must not run twice, is passed
  // over.
  void schedule() {
    while (!interrupted && !short_of_resources) {
      std::shared_ptr<BatchRun> next;
      // By copy: a batch that cannot be run at all is taken out of the list on the way.
      for (const std::shared_ptr<BatchRun>& batch : std::vector(batches.begin(), batches.end())) {
        if (!prepare(batch) || batch->pending.empty()) continue;
        if (batch->exclusive && batch->group->exclusive_running) continue;
        if (!next || batch->running < next->running) next = batch;
      }
      if (!next || !may_start_another(*next)) break;
      start_subset(next);
    }
  }

  // Sees to it that the batch has a host and is divided. False when it cannot be started now.
  bool prepare(const std::shared_ptr<BatchRun>& batch) {
    if (short_of_resources || (batch->divided && batch->pending.empty())) return false;
    try {
      const WarmHost* host = batch->group->hosts.host(settings);
      if (settings->host_idle_time > 0 && !idle_timer_runs) check_idle_hosts_later();
      if (host == nullptr) return false;
      if (!batch->divided) divide(*batch, host->description());
      return true;
    } catch (const std::system_error& error) {
      if (is_shortage(error)) {
        wait_for_resources(error.what());
      } else {
        give_up(batch, "the host process of module " + batch->group->hosts.module().name +
                           " could not be started: " + error.what() + ".");
      }
      return false;
    }
  }

  void divide(BatchRun& batch, const host_protocol::Ready& description) {
    std::size_t instances = description.concurrent_instances;
    const auto found = settings->functions.find(batch.function);
    if (found != settings->functions.end() && found->second.concurrent_instances) {
      instances = *found->second.concurrent_instances;
    }
    batch.exclusive = instances == 0;
    batch.independent = description.independent;
    const std::size_t parts = batch.group->estimate.worthwhile_parts(
        batch.tasks.size(), std::clamp<std::size_t>(instances, 1, settings->max_processes),
        batches.size() > settings->max_processes);
    for (const std::span<Task*> subset : split(std::span(batch.tasks), parts)) {
      batch.pending.emplace_back(subset.begin(), subset.end());
    }
    batch.divided = true;
  }

  void start_subset(const std::shared_ptr<BatchRun>& batch) {
    Group& group = *batch->group;
    std::shared_ptr<Subset> subset;
    try {
      subset = std::make_shared<Subset>(loop, ++last_subset, batch->function, batch->limits,
                                        batch->pending.front());
    } catch (const std::system_error& error) {
      return wait_for_resources(error.what());
    }
    batch->pending.pop_front();
    ++batch->running;
    group.hosts.used();
    if (batch->exclusive) group.exclusive_running = true;

    WarmHost& host = *group.hosts.host(settings);
    if (host.description().fresh) group.hosts.give_away();
    // The host outlives its subsets, and a guard ends with its subset.
    auto guard = std::make_unique<SubsetGuard>(
        loop, batch->limits,
        SubsetGuard::Subset{.pid = [subset] { return subset->pid(); },
                            .signal = [subset, &host](int number) { host.signal(*subset, number); }});
    running.emplace(subset->number(), RunningSubset{batch, subset, std::move(guard)});
    host.run(subset, [this, number = subset->number()](const SubsetEnd& end) { subset_ended(number, end); });
  }

  void subset_ended(std::uint64_t number, SubsetEnd end) {
    const RunningSubset ended = std::move(running.extract(number).mapped());
    const std::shared_ptr<BatchRun>& batch = ended.batch;
    Subset& subset = *ended.subset;
    --batch->running;
    batch->group->hosts.used();
    if (batch->exclusive) batch->group->exclusive_running = false;

    if (end.how == SubsetEnd::How::not_started && may_start_later(*batch, end)) {
      batch->pending.push_front(subset.tasks());
    } else {
      const Clock::duration taken = Clock::now() - ended.begin;
      end.ended_by_us = ended.guard->why();
      end.cause = ended.guard->cause();
      if (interrupted) end.how = SubsetEnd::How::interrupted;
      settle(*batch, subset, end);
      batch->group->estimate.observe(taken, between_ends(subset.tasks()), subset.size());
    }
    if (batch->pending.empty() && batch->running == 0) complete(batch);
    schedule();
  }

  // What has not begun can be begun once more without harm.
  bool may_start_later(BatchRun& batch, const SubsetEnd& end) {
    if (interrupted) return false;
    if (end.for_want_of_resources) {
      wait_for_resources(end.reason);
      return true;
    }
    return ++batch.false_starts <= most_false_starts;
  }

  void settle(BatchRun& batch, Subset& subset, const SubsetEnd& end) {
    std::vector<Task*> again = subset.finish(end, batch.independent);
    const logs::About about(batch.handle, batch.function);
    if (end.how != SubsetEnd::How::ended || !end.status.success()) {
      logs::host()->warn("{} {}: a subset of {} (pid {}) did not end well: it {}. {}{}Its {}: {}",
                         batch.handle, batch.function, counted(subset.size(), "task"), subset.pid(),
                         end.how == SubsetEnd::How::not_started
                             ? "was not started: " + without_stop(end.reason)
                             : end.status.describe(),
                         end.ended_by_us, end.ended_by_us.empty() ? "" : " ",
                         subset.size() == 1 ? "task" : "tasks", ids_of(subset.tasks()));
    }
    count_for(batch, subset);
    const std::string text = subset.text_outside_jobs();
    if (!text.empty()) outside_text(batch.handle, batch.function, text);
    if (!again.empty() && !interrupted) batch.pending.push_front(std::move(again));
  }

  // A sample that cannot be counted costs a line in the log and no task.
  void count_for(const BatchRun& batch, const Subset& subset) {
    if (metrics == nullptr) return;
    std::size_t left_out = 0;
    for (const std::string& sample : subset.metrics())
      if (!metrics->script_metrics().add(sample)) ++left_out;
    if (left_out > 0) {
      logs::host()->warn("{} {}: {} of its script could not be counted", batch.handle, batch.function,
                         counted(left_out, "metric"));
    }
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
    drop(batch);
  }

  void give_up_all(const Group& group, const std::string& reason) {
    for (const std::shared_ptr<BatchRun>& batch : std::vector(batches.begin(), batches.end())) {
      if (batch->group == &group) give_up(batch, reason);
    }
  }

  // Starts nothing more of the batch.
  void drop(const std::shared_ptr<BatchRun>& batch) {
    batch->divided = true;
    batch->pending.clear();
    if (batch->running == 0) complete(batch);
  }

  void host_changed(const std::string& key) {
    const HostGroup& hosts = groups.at(key).hosts;
    if (const host_protocol::Ready* description = hosts.description()) {
      const std::lock_guard lock(mutex);
      concurrent[key] = description->concurrent_instances > 0;
    }
    schedule();
  }

  void wait_for_resources(const std::string& reason) {
    if (short_of_resources.exchange(true)) return;
    const auto pause = shortage_pause.next();
    logs::host()->error(
        "A process cannot be started: {}. No more work is taken until one can be; tried again in {} ms. Look "
        "at the "
        "limits of processes, memory and open files of this host and of its user.",
        reason, pause.count());
    shortage_timer.expires_after(pause);
    shortage_timer.async_wait([this](boost::system::error_code error) {
      if (error) return;
      short_of_resources = false;
      const std::uint64_t before = last_subset;
      schedule();
      if (!short_of_resources && last_subset > before) shortage_pause.reset();
    });
  }

  void interrupt() {
    interrupted = true;
    for (auto& [number, subset] : running) subset.guard->end("The worker is being stopped.");
    for (const std::shared_ptr<BatchRun>& batch : std::vector(batches.begin(), batches.end())) drop(batch);
  }

  void configure(const Settings& given) {
    const auto before = std::exchange(settings, std::make_shared<const Settings>(given));
    share(*settings);
    for (auto& [key, group] : groups) {
      if (start_differently(group.hosts.module(), *before, *settings)) group.hosts.retire();
    }
    schedule();
  }

  void check_idle_hosts_later() {
    idle_timer_runs = true;
    idle_timer.expires_after(idle_check_interval);
    idle_timer.async_wait([this](boost::system::error_code error) {
      if (error) return;
      bool hosts_left = false;
      for (auto& [key, group] : groups) {
        hosts_left = group.hosts.end_idle(std::chrono::seconds(settings->host_idle_time)) || hosts_left;
      }
      idle_timer_runs = false;
      if (hosts_left) check_idle_hosts_later();
    });
  }

  // ---- tasks that are cancelled ----

  std::vector<Cancellation> cancel(const std::vector<std::string>& ids, bool with_subset) {
    std::unordered_map<std::string, Cancellation> wanted;
    for (const std::string& id : ids) wanted.emplace(id, Cancellation{.id = id});
    for (const std::shared_ptr<BatchRun>& batch : batches) cancel_waiting(*batch, wanted);
    for (auto& [number, subset] : running) cancel_running(subset, wanted, with_subset);
    for (const std::shared_ptr<BatchRun>& batch : std::vector(batches.begin(), batches.end())) {
      if (batch->tasks.empty() || (batch->divided && batch->pending.empty() && batch->running == 0))
        complete(batch);
    }
    schedule();
    std::vector<Cancellation> answers;
    for (const std::string& id : ids) answers.push_back(wanted.at(id));
    return answers;
  }

  // What no process has been given yet never is.
  static void cancel_waiting(BatchRun& batch, std::unordered_map<std::string, Cancellation>& wanted) {
    const auto take_out = [&](std::vector<Task*>& tasks) {
      std::erase_if(tasks, [&](Task* task) {
        const auto found = wanted.find(task->id);
        if (found == wanted.end()) return false;
        task->cancel("The task was cancelled before it had begun.");
        found->second.kind = Cancellation::Kind::kept;
        return true;
      });
    };
    for (const Task* task : batch.tasks) {
      const auto found = wanted.find(task->id);
      if (found != wanted.end() && task->result) found->second.kind = Cancellation::Kind::too_late;
    }
    if (!batch.divided) take_out(batch.tasks);
    for (std::vector<Task*>& subset : batch.pending) take_out(subset);
    std::erase_if(batch.pending, [](const std::vector<Task*>& subset) { return subset.empty(); });
  }

  static void cancel_running(RunningSubset& entry, std::unordered_map<std::string, Cancellation>& wanted,
                             bool with_subset) {
    using Progress = Subset::Progress;
    using Kind = Cancellation::Kind;
    Subset& subset = *entry.subset;
    const bool independent = entry.batch->independent;
    if (independent) {
      // First of all: what has not begun after this line does not begin.
      for (const Task* task : subset.tasks()) {
        if (wanted.contains(task->id)) subset.cancel(*task);
      }
    }
    const std::vector<Progress> progress = subset.progress();
    std::vector<std::pair<const Task*, Cancellation*>> targets;
    std::vector<const Task*> others;  // that have begun
    bool begun = false;
    for (std::size_t i = 0; i < progress.size(); ++i) {
      const Task* task = subset.tasks()[i];
      const auto found = wanted.find(task->id);
      if (found == wanted.end()) {
        if (progress[i] != Progress::waiting) others.push_back(task);
      } else if (independent && progress[i] == Progress::ended) {
        found->second.kind = Kind::too_late;
      } else {
        targets.emplace_back(task, &found->second);
        begun = begun || progress[i] != Progress::waiting;
      }
    }
    if (targets.empty()) return;
    const bool refused = !independent && !others.empty() && !with_subset;
    for (const auto& [task, answer] : targets) {
      answer->kind = refused ? Kind::shared : Kind::ending;
      if (!independent) {
        for (const Task* other : others) answer->shares.push_back(other->id);
      }
      if (!refused && !independent) subset.cancel(*task);
    }
    // The process of independent tasks ends by itself before a cancelled one begins.
    if (refused || (independent && !begun)) return;
    if (!independent) {
      for (const Task* other : others) subset.fail_with_cancelled(*other);
    }
    const std::string& id = targets.front().first->id;
    entry.guard->end(
        independent || others.empty()
            ? "It was ended since task " + id + " was cancelled."
            : "It was ended since task " + id +
                  " was cancelled; others that had begun in the same process fail with it, as was "
                  "accepted (--subset).",
        "cancelled");
  }

  void describe(WorkerStatus& status) const {
    status.short_of_resources = short_of_resources;
    status.max_processes = settings->max_processes;
    for (const auto& [key, group] : groups) {
      for (HostStatus& host : group.hosts.status()) status.hosts.push_back(std::move(host));
    }
    std::map<const BatchRun*, BatchStatus> figures;
    for (const auto& [number, entry] : running) {
      SubsetStatus& subset = status.subsets.emplace_back();
      subset.handle = entry.batch->handle;
      subset.function = entry.batch->function;
      subset.pid = entry.subset->pid();
      subset.age = Clock::now() - entry.begin;
      const std::vector<Subset::Progress> progress = entry.subset->progress();
      for (std::size_t i = 0; i < progress.size(); ++i) {
        auto& list = progress[i] == Subset::Progress::waiting   ? subset.waiting
                     : progress[i] == Subset::Progress::running ? subset.running
                                                                : subset.ended;
        list.push_back(entry.subset->tasks()[i]->id);
      }
      std::ranges::move(entry.subset->reports(entry.batch->independent), std::back_inserter(status.reports));
      BatchStatus& batch = figures[entry.batch.get()];
      batch.ended += subset.ended.size();
      batch.begun += subset.ended.size() + subset.running.size();
    }
    for (const std::shared_ptr<BatchRun>& run : batches) {
      BatchStatus& batch = status.batches.emplace_back(std::move(figures[run.get()]));
      batch.handle = run->handle;
      batch.function = run->function;
      batch.tasks = run->tasks.size();
      batch.waits_for_host = !run->divided;
      const auto wait = [&](const std::vector<Task*>& tasks) {
        for (const Task* task : tasks) batch.waiting.push_back(task->id);
      };
      if (!run->divided) wait(run->tasks);
      for (const std::vector<Task*>& subset : run->pending) wait(subset);
      std::size_t ended = 0;
      for (const Task* task : run->tasks) {
        if (!task->result) continue;
        ++ended;
        status.reports.push_back({.id = task->id,
                                  .ended = task->result->finished,
                                  .exit_code = task->result->exit_code,
                                  .counts = true,
                                  .cancelled = task->result->ended_by == "cancelled"});
      }
      batch.ended += ended;
      batch.begun += ended;
    }
  }

  std::vector<std::string> describe() const {
    std::vector<std::string> lines;
    for (const auto& [key, group] : groups) lines.push_back(group.hosts.describe());
    for (const auto& [number, entry] : running) {
      const std::chrono::duration<double> age = Clock::now() - entry.begin;
      lines.push_back(fmt::format("{} {}: a subset of {}, pid {}, for {:.1f} s", entry.batch->handle,
                                  entry.batch->function, counted(entry.subset->size(), "task"),
                                  entry.subset->pid(), age.count()));
    }
    for (const std::shared_ptr<BatchRun>& batch : batches) {
      if (batch->divided && batch->pending.empty()) continue;
      lines.push_back(fmt::format("{} {}: {}, {} running, {} waiting{}", batch->handle, batch->function,
                                  counted(batch->tasks.size(), "task"), counted(batch->running, "subset"),
                                  batch->pending.size(),
                                  batch->divided ? "" : " for the host of its module"));
    }
    return lines;
  }
};

SubprocessPool::SubprocessPool(asio::io_context& loop, const Settings& settings, OutsideText outside_text)
    : impl_(std::make_unique<Impl>(loop, settings, std::move(outside_text))) {}

SubprocessPool::~SubprocessPool() = default;

void SubprocessPool::run(const Module& module, const std::string& function, const std::string& handle,
                         const std::vector<Task*>& tasks) {
  if (tasks.empty()) return;
  auto batch = std::make_shared<BatchRun>();
  batch->function = function;
  batch->handle = handle;
  batch->tasks = tasks;
  std::future<void> done = batch->done.get_future();
  // From here on the batch is the main loop's alone.
  asio::post(impl_->loop, [this, batch = std::move(batch), module] { impl_->add(batch, module); });
  done.wait();
}

bool SubprocessPool::runs_concurrently(const Module& module, const std::string& function) const {
  const std::lock_guard lock(impl_->mutex);
  const auto setting = impl_->functions.find(function);
  if (setting != impl_->functions.end() && setting->second.concurrent_instances) return true;
  const auto found = impl_->concurrent.find(module.key());
  return found != impl_->concurrent.end() && found->second;
}

bool SubprocessPool::is_short_of_resources() const { return impl_->short_of_resources; }
void SubprocessPool::count_with(Metrics& metrics) { impl_->metrics = &metrics; }
void SubprocessPool::let_hosts_hold(int descriptor) { impl_->held_descriptor = descriptor; }
void SubprocessPool::configure(const Settings& settings) { impl_->configure(settings); }
void SubprocessPool::interrupt() { impl_->interrupt(); }

std::vector<int> SubprocessPool::host_pids() const {
  std::vector<int> pids;
  for (const auto& [key, group] : impl_->groups) {
    for (const int pid : group.hosts.pids()) pids.push_back(pid);
  }
  return pids;
}

void SubprocessPool::describe(WorkerStatus& status) const { impl_->describe(status); }
std::optional<WrittenSoFar> SubprocessPool::written(const std::string& id) const {
  for (const auto& [number, entry] : impl_->running) {
    if (!entry.subset->has_begun()) continue;
    if (std::optional<WrittenSoFar> written = entry.subset->written(id)) return written;
  }
  return std::nullopt;
}
std::vector<Cancellation> SubprocessPool::cancel(const std::vector<std::string>& ids, bool with_subset) {
  return impl_->cancel(ids, with_subset);
}
std::vector<std::string> SubprocessPool::describe() const { return impl_->describe(); }

}  // namespace quire
