// A subset that runs in a process: what goes to the process, what comes back, and what became of its tasks.
//
// Everything happens on the main loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/exit_status.hpp"
#include "worker/batch.hpp"
#include "worker/limits.hpp"
#include "worker/worker_status.hpp"

namespace boost::asio {
class io_context;
}

namespace quire {

// How the process of a subset came to its end, as far as the worker knows.
struct SubsetEnd {
  enum class How {
    ended,        // it ran and ended with `status`
    host_gone,    // its host ended with `status`, and it with it
    not_started,  // there never was a process; `reason` says why
    interrupted,  // it was ended since the worker is being stopped
  };
  How how = How::ended;
  ExitStatus status = ExitStatus::exited(0);
  std::string reason = {};
  bool for_want_of_resources = false;  // not_started: it may work later
  std::string ended_by_us = {};        // why, when it was us who ended it
  std::string cause = {};              // in one word: TaskResult::ended_by
};

class Subset {
 public:
  // Prepares the ledger and the pipes. The tasks must live as long as the subset.
  // Throws std::system_error when there are no descriptors or no memory.
  Subset(boost::asio::io_context& loop, std::uint64_t number, const std::string& function,
         const Limits& limits, std::vector<Task*> tasks);
  ~Subset();
  Subset(const Subset&) = delete;
  Subset& operator=(const Subset&) = delete;

  std::uint64_t number() const;
  std::size_t size() const;
  const std::vector<Task*>& tasks() const;

  // Ledger, stdout pipe and stderr pipe for the process that runs the subset. They are ours until
  // descriptors_sent(), which must follow as soon as the process has them: while we hold them, the pipes do
  // not end.
  std::vector<int> descriptors_to_send() const;
  void descriptors_sent();

  void started(int pid);
  int pid() const;  // 0: not started yet

  // Whether its process has come to the script, as far as it shows.
  bool has_begun() const;

  // How far each task has come, in their order, as far as it shows. Where a script opens no scopes all of
  // them count as running.
  enum class Progress { waiting, running, ended };
  std::vector<Progress> progress();

  // The same in more words, of the tasks that have begun. independent: whether what has ended counts.
  std::vector<TaskReport> reports(bool independent);

  // What the process has written of a task so far; nothing where it is none of these. REQUIRES: started
  std::optional<WrittenSoFar> written(const std::string& id);

  // The task is to be cancelled: where it has not begun it does not begin in this process, and without a
  // result that counts finish() answers it as cancelled. The process ends with it, or is ended by the caller
  // for the cause "cancelled"; finish() then hands back all others that have no result that counts, but those
  // that are failed with it.
  void cancel(const Task& task);
  void fail_with_cancelled(const Task& task);

  // Gives every task of the subset its result, except those that it hands back: tasks of a script with
  // independent jobs that had not begun when the process died with another one, those that an end for the
  // sake of others has undone, and all whose work an interruption has undone. REQUIRES: called once
  std::vector<Task*> finish(const SubsetEnd& end, bool independent);

  // Samples for ScriptMetrics::add(): what the script has counted by itself; after finish().
  const std::vector<std::string>& metrics() const;

  // What the process wrote while no job's scope was open; after finish(). For the log.
  std::string text_outside_jobs() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace quire
