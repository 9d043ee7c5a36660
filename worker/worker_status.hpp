// What a worker is doing just now, and what became of a request to cancel tasks: plain values, which every
// room may fill in or read.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/timestamp.hpp"

namespace quire {

using Seconds = std::chrono::duration<double>;

// A process that has loaded a module.
struct HostStatus {
  std::string module;
  int pid = 0;
  std::string state;        // "loading", "ready", or "retired": it only finishes what it has
  std::size_t running = 0;  // subsets
  std::size_t served = 0;   // subsets since it was started
};

// A process that runs tasks of a batch.
struct SubsetStatus {
  std::string handle;
  std::string function;
  int pid = 0;  // 0: it is being started
  Seconds age{0};
  // Ids. Where a script opens no scopes all its tasks count as running, since nobody can tell.
  std::vector<std::string> running;
  std::vector<std::string> ended;
  std::vector<std::string> waiting;  // behind the others of their process
};

// What is known of a task in hand that has begun or was cancelled, before the record has its end. About when
// it began: where the tasks of a process are worked on one after the other, when the one before it had ended.
struct TaskReport {
  std::string id;
  std::optional<Timestamp> begun = {};
  std::optional<Timestamp> ended = {};  // as its script has reported it
  std::int64_t exit_code = 0;           // of one that has ended
  bool counts = false;     // it has ended so for good; false: it fails if its process does not end well
  bool cancelled = false;  // it has ended so on request, or will never begin
};

// A batch in hand: from when the job server gave it to us until it is answered.
struct BatchStatus {
  std::string server;  // "host:port"
  std::string handle;
  std::string function;
  Seconds age{0};
  // Of its tasks; all 0 while it is being read or waits for the record or for another batch.
  std::size_t tasks = 0;
  std::size_t begun = 0;  // the ended ones too
  std::size_t ended = 0;
  bool waits_for_host = false;       // its script is being loaded
  std::vector<std::string> waiting;  // ids of tasks that no process has been given yet
};

struct JobServerStatus {
  std::string name;  // "host:port"
  bool connected = false;
  std::size_t in_hand = 0;  // batches
};

struct WorkerStatus {
  std::string client;  // HOST:PID, as the record has it
  int pid = 0;
  std::string version;
  Timestamp started{};
  bool stopping = false;                        // it takes no more batches
  bool short_of_resources = false;              // no process can be started just now
  std::size_t slots = 0;                        // batches in hand at most
  std::size_t max_processes = 0;                // running subsets at most
  std::map<std::string, std::string> settings;  // those that an administrator asks for first
  std::vector<std::string> functions;
  bool record_healthy = true;
  std::string record_problem;        // why it is not, as a sentence
  std::uint64_t record_waiting = 0;  // entries kept in memory until it can be written again
  std::uint64_t results_owed = 0;    // to the controller's database
  std::string owed;                  // the same as a clause, with its time; empty: none is
  std::vector<JobServerStatus> servers;
  std::vector<BatchStatus> batches;
  std::vector<SubsetStatus> subsets;
  std::vector<HostStatus> hosts;
  std::vector<TaskReport> reports;
};

// What the process of a task that runs has written to its own stdout and stderr so far, as bytes. What a
// script writes through its Job is known when the task ends.
struct WrittenSoFar {
  std::string output;
  std::string error;
};

// What became of one task that was to be cancelled.
struct Cancellation {
  enum class Kind {
    kept,      // it had not begun and never will; it is answered as failed with its batch
    ending,    // its process is being ended, or will be before the task begins
    shared,    // refused: others that have begun would fail with it (`shares`)
    too_late,  // it has ended; its batch has not
    unknown,   // this worker does not have it in hand
  };
  std::string id;
  Kind kind = Kind::unknown;
  std::vector<std::string> shares = {};  // ids of the tasks of its process that have begun and fail with it
};

const char* name_of(Cancellation::Kind kind);

}  // namespace quire
