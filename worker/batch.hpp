// A batch: the workload of one Gearman job on its way in, and its reply on the way out.
//
//   {"tasks": {"<task id>": {"uuid": "…", "createdDate": "2024-08-04T21:34:35.241750+00:00",
//                            "arguments": "\"%sharedPath%x\" …", "wants_output": false}, …}}
//
//   {"task_results": {"<task id>": {"exitCode": 0, "finishedTimestamp": "2024-08-04T21:44:55.661575+00:00",
//                                   "stdout": "…", "stderr": "…", "stderror": "…"}, …}}
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "common/timestamp.hpp"

namespace quire {

// What Gearman handed to us, in Gearman's words.
struct Delivery {
  std::string function;  // as the job server spells it
  std::string handle;
  std::string unique;
  std::string workload;
  std::string server;  // "host:port" of the job server that sent it
};

// What became of a task. The texts are bytes as they were written.
struct TaskResult {
  std::int64_t exit_code = 0;
  std::string output;          // what the job wrote through its methods, or a program to its stdout
  std::string error;           // likewise; also why a task could not be run to its end
  std::string process_output;  // what the process wrote to its own stdout while the job was worked on
  std::string process_error;
  std::string ended_by = {};  // "cancelled", or the limit that ended its process ("time_limit"); mostly empty
  std::optional<Timestamp> finished;
  bool on_record = false;    // it came from the record, where it stands already
  bool in_database = false;  // likewise in the controller's database, where there is one

  // Whether it was there before this delivery of the task.
  bool known_before() const { return on_record || in_database; }

  // Which is neither done nor failed.
  bool was_cancelled() const { return ended_by == "cancelled"; }
};

// Of a task that was cancelled, begun or not: what a shell says of a program that was interrupted.
inline constexpr std::int64_t cancelled_exit_code = 130;

// What the controller asked for, and the answer once there is one.
struct Task {
  std::string id;
  std::string created_date;  // as the controller wrote it; empty when it sent none
  std::string arguments;     // as the controller wrote them
  bool wants_output = true;
  std::vector<std::string> words;  // the arguments after CONTRACT's three steps, without the function's name
  std::optional<TaskResult> result;

  // Answers the task with a failure that is told on its stderr, as a line after what stands there. A result
  // that the task has already keeps its texts and its time.
  void fail(std::string_view reason, std::int64_t exit_code = 1);

  // Answers it as cancelled, in the same way: cancelled_exit_code, ended_by "cancelled".
  void cancel(std::string_view reason);
};

struct Batch {
  std::string function;  // in lower case: names are compared so
  std::string handle;
  std::string unique;
  std::vector<Task> tasks;    // in the order of the workload
  std::string_view workload;  // the text that it came as; of the delivery, whose end it must not outlive

  // The tasks that have no result yet: those that are to be run.
  std::vector<Task*> unanswered();
};

// No task id could be read from a workload, so there is nobody to answer; what() says why.
struct UnreadableBatch : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// What the placeholders of the arguments stand for, as far as it is the same for all tasks.
struct ArgumentSettings {
  std::string shared_directory;
  std::string client_scripts_directory;
  std::string client_assets_directory;
};

// The batch in a delivery. A task that cannot be run (its arguments cannot be split, it is not an object, its
// createdDate cannot be parsed, its id stands twice, …) comes with its result; where the text as a whole is
// not what it must be, every task does, since none of them can be trusted to be whole. Its ids are then read
// as far as they can be, behind bytes that are not UTF-8 too: every one that is known is answered.
// The batch must not outlive the delivery, whose text it refers to.
// Throws UnreadableBatch.
Batch decode_batch(const Delivery& delivery, const ArgumentSettings& settings);

// The reply, strict JSON in UTF-8. REQUIRES: every task has a result
std::string encode_reply(const Batch& batch);

// The other side of the wire, for whoever submits: the workload of tasks (id, created_date, arguments,
// wants_output), and the results in a reply, in its order.
std::string encode_workload(const std::vector<Task>& tasks);
std::string encode_workload(const std::vector<const Task*>& tasks);
struct ReplyEntry {
  std::string id;
  TaskResult result;
};
// Throws std::runtime_error with a sentence when the reply is not what the contract says.
std::vector<ReplyEntry> decode_reply(std::string_view reply);

}  // namespace quire
