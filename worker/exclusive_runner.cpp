#include "worker/exclusive_runner.hpp"

#include <chrono>
#include <thread>
#include <utility>

#include <spdlog/spdlog.h>

#include "worker/log.hpp"

namespace quire {
namespace {

using namespace std::chrono_literals;

// How often the server is asked: for the lock, while it is waited for, and whether we have it still.
constexpr auto interval = 1s;

// Who looks at the server's locks sees what this one is about.
std::string lock_name(const MariadbAddress& address, const Module& module) {
  return "quire:" + address.database + ":" + module.name;
}

}  // namespace

void ExclusiveRunner::run(const Module& module, const std::string& function, const std::string& handle,
                          const std::vector<Task*>& tasks) {
  if (options_.is_concurrent(module, function)) return runner_.run(module, function, handle, tasks);
  const std::string batch = handle + " " + function;
  MariadbLock lock(options_.address, lock_name(options_.address, module));
  if (!acquire(lock, batch)) return;

  std::atomic<bool> done = false;
  bool lost = false;
  std::thread watcher([&] { watch(lock, batch, done, lost); });
  runner_.run(module, function, handle, tasks);
  {
    const std::lock_guard guard(mutex_);
    done = true;
  }
  changed_.notify_all();
  watcher.join();
  if (!lost) return;
  for (Task* task : tasks) {
    if (!task->result) continue;
    std::string& error = task->result->error;
    if (!error.empty() && !error.ends_with('\n')) error += '\n';
    error +=
        "[quire: the lock that keeps this script from running on two hosts at once was lost while the task "
        "ran; "
        "another host may have run the script at the same time (exclusive_across_hosts)]\n";
  }
}

void ExclusiveRunner::interrupt() {
  {
    const std::lock_guard guard(mutex_);
    interrupted_ = true;
  }
  changed_.notify_all();
}

// A batch that waits is told once, and takes nobody's place meanwhile.
bool ExclusiveRunner::acquire(MariadbLock& lock, const std::string& batch) {
  bool told = false;
  if (try_to_acquire(lock, 0s, batch, told)) return true;
  options_.waits(true);
  if (!told) logs::record()->info("{}: waits until its script has ended on another host", batch);
  bool acquired = false;
  while (!acquired && !interrupted_) acquired = try_to_acquire(lock, interval, batch, told);
  options_.waits(false);
  return acquired;
}

bool ExclusiveRunner::try_to_acquire(MariadbLock& lock, std::chrono::seconds wait, const std::string& batch,
                                     bool& told) {
  try {
    return lock.acquire(wait);
  } catch (const MariadbError& error) {
    if (!std::exchange(told, true)) {
      logs::record()->error(
          "{}: its script runs on one host at a time (exclusive_across_hosts), and the {} that has the lock "
          "cannot be asked: {}. The batch waits.",
          batch, options_.address.describe(), error.what());
    }
  }
  if (wait > 0s) pause(interrupted_);
  return false;
}

// Until the batch is done; sees whether we still have the lock, and takes it again where we have not.
void ExclusiveRunner::watch(MariadbLock& lock, const std::string& batch, const std::atomic<bool>& done,
                            bool& lost) {
  bool held = true;
  bool other_told = false;
  while (!pause(done)) {
    try {
      if (held && lock.is_held()) continue;
    } catch (const MariadbError& error) {
      logs::record()->error(
          "{}: the lock that keeps its script from running on two hosts at once is lost: {}. Another "
          "host may run the script now, while it goes on here.",
          batch, error.what());
    }
    held = false;
    lost = true;
    try {
      held = lock.acquire(0s);
      if (held) {
        logs::record()->warn("{}: the lock is held again", batch);
      } else if (!std::exchange(other_told, true)) {
        logs::record()->error("{}: another host has the lock, and runs the script at the same time", batch);
      }
    } catch (const MariadbError&) {
      // Tried again.
    }
  }
}

// Until the time has come to ask again; true when there is no need to.
bool ExclusiveRunner::pause(const std::atomic<bool>& done) {
  std::unique_lock guard(mutex_);
  return changed_.wait_for(guard, interval, [&] { return done.load(); });
}

}  // namespace quire
