// Questions to the record, asked over a connection of their own that only reads: no writer ever waits for
// one.
//
//   TaskQuery record("/var/lib/quire/record.sqlite");
//   TaskPage page = record.list({.states = {TaskState::failed}}, 50);          // the newest 50
//   TaskPage next = record.list({.states = {TaskState::failed}}, 50, page.older);
//
// Each question sees what is committed at its moment. One thread at a time uses a TaskQuery; another one is
// cheap to make. All questions throw RecordUnreadable when the file cannot be read any more; the next one
// then opens it anew.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "common/timestamp.hpp"
#include "worker/worker_status.hpp"

namespace quire {

// The record cannot be read; what() is a sentence: which file, why, what to do.
struct RecordUnreadable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

enum class TaskState {
  queued,     // taken by a worker (or left by one that was stopped) and not begun
  running,    // begun by a worker that lives
  done,       // ended with exit code 0
  failed,     // ended with another one
  cancelled,  // ended on request
  lost,       // begun by a worker that is gone: nobody runs it, unless the job server delivers it again
};
inline constexpr TaskState all_task_states[] = {TaskState::queued, TaskState::running,   TaskState::done,
                                                TaskState::failed, TaskState::cancelled, TaskState::lost};

const char* name_of(TaskState state);
// Nothing when there is no state of this name.
std::optional<TaskState> task_state(std::string_view name);
bool has_ended(TaskState state);  // done, failed or cancelled

// Which tasks are meant: those to which everything that is set here applies.
struct TaskFilter {
  std::set<TaskState> states = {};  // empty: all
  std::string function = {};        // as a controller spells it; case does not matter
  std::string host = {};            // of the worker that had it last: HOST, or HOST:PID
  std::int64_t batch = 0;           // number in table Batches
  std::string text = {};            // stands somewhere in the id or the arguments; ASCII case does not matter
  std::optional<Timestamp> since = {};  // begun then or later; one that never was begun: ended
  std::optional<Timestamp> until = {};  // likewise, and before
  bool with_texts = false;              // whether the answer has what tasks wrote
};

// A task as a list shows it. Texts are bytes as they were recorded.
struct TaskSummary {
  std::int64_t sequence = 0;  // its place in the record; another one once it has ended
  std::string id;
  TaskState state = TaskState::queued;
  std::string function;
  std::string arguments;  // as the controller wrote them
  std::optional<Timestamp> created;
  std::optional<Timestamp> begun;  // with its batch; while it runs: as its worker tells; queued: it has not
  std::optional<Timestamp> ended;
  std::optional<std::int64_t> exit_code;
  std::string
      ended_by;        // "cancelled", or the setting whose limit ended its process; empty: it ended by itself
  std::string client;  // the worker that had it last: HOST:PID
  std::int64_t batch = 0;
  std::int64_t attempts = 0;  // how often it was begun
  // Of one that runs: it has ended as its worker tells, which is on record when its batch has ended.
  struct Reported {
    Timestamp ended{};
    std::int64_t exit_code = 0;
    bool counts = false;  // false: if its process ends well
  };
  std::optional<Reported> reported = {};
  std::string job, file, file_name;  // the controller's own, where the record has them
  // What it wrote, and what its process did; nothing: not recorded, or not asked for.
  std::optional<std::string> output, error, process_output, process_error;
};

// What has still to come after that: a sentence.
std::string_view what_is_awaited(const TaskSummary::Reported& reported);

// Tasks, the newest first: those that have not ended, then the others, the last one first.
struct TaskPage {
  std::vector<TaskSummary> tasks;
  std::string older;  // hand it to the next question; empty: there are none
};

// One attempt to run a task: who began it, when, and how that ended.
struct TaskAttempt {
  std::int64_t batch = 0;
  std::string client, handle;
  std::optional<Timestamp> begun;
  std::string end;  // "ended", "running", "interrupted" (its worker was stopped), "lost" (its worker is gone)
};

struct TaskDetails {
  TaskSummary task;
  bool wants_output = true;
  std::string handle, unique;  // of its last batch
  std::string delivery;        // of its batch's reply: "delivered", "undelivered", "interrupted" or nothing
  std::vector<TaskAttempt> attempts;  // the first one first
};

enum class BatchState {
  running,      // a worker that lives has it in hand
  done,         // all its tasks have ended
  interrupted,  // its worker was stopped: the job server delivers it again
  lost,         // its worker is gone
};
const char* name_of(BatchState state);

struct BatchSummary {
  std::int64_t batch = 0;
  BatchState state = BatchState::running;
  std::string handle, unique, function, client;
  std::optional<Timestamp> begun, ended;
  std::int64_t tasks = 0;
  std::int64_t failed = 0;     // known once it has ended, as is the next one
  std::int64_t cancelled = 0;  // they have not failed
  std::string delivery;
};
struct BatchPage {
  std::vector<BatchSummary> batches;  // the newest first
  std::int64_t older = 0;             // hand it to the next question; 0: there are none
};

// What ended within one minute.
struct MinuteFigures {
  Timestamp minute;
  std::int64_t tasks = 0;
  std::int64_t failed = 0;  // of them
  std::int64_t cancelled = 0;
};

class TaskQuery {
 public:
  // path: of the record. Opens nothing yet.
  explicit TaskQuery(std::string path);
  ~TaskQuery();
  TaskQuery(const TaskQuery&) = delete;
  TaskQuery& operator=(const TaskQuery&) = delete;

  // What workers tell of the tasks that they have in hand. To the record all of a batch have begun with it;
  // from now on those that no process has come to are queued here, and the others have begun when they did.
  void know_in_hand(const std::vector<WorkerStatus>& workers);

  // Up to `size` tasks. older: TaskPage::older of the page before; empty: the first page.
  // A page is found by its place and not by counting, so the last one is as quick as the first. What few of
  // many tasks match is looked for through all of them, at some millions a second.
  // Throws std::invalid_argument when `older` is none that was handed out.
  TaskPage list(const TaskFilter& filter, std::size_t size, const std::string& older = "");

  // Everything about one task; nothing when the record does not have it.
  std::optional<TaskDetails> find(const std::string& id);

  // How many tasks there are of each state; all states are there. What has ended is counted once and then
  // only what is new, until rows are seen to be missing, or for five minutes.
  std::map<TaskState, std::int64_t> counts();

  // Has counts() count all of them the next time: somebody has deleted some.
  void count_anew();

  // Up to `size` batches, the newest first. function: only of this one; empty: all. older: as BatchPage has
  // it.
  BatchPage batches(std::size_t size, std::int64_t older = 0, const std::string& function = "");

  // The 60 minutes that end with the minute of `now`, the oldest first; minutes without tasks too. A task
  // counts when its batch ends.
  std::vector<MinuteFigures> last_hour(Timestamp now);

  // All functions that ever were recorded, in order of their names.
  std::vector<std::string> functions();

  const std::string& path() const { return path_; }

 private:
  struct Impl;
  const std::string path_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace quire
