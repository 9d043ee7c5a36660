// What can be asked of a worker while it works, and how that goes over its control socket: one line of JSON
// for each question and one for its answer.
//
//   {"request":"status"}
//   {"client":"host:42","pid":42,"version":"0.1.0","started":"2024-08-04T21:34:35.241750+00:00",…,
//    "batches":[{"server":"127.0.0.1:4730","handle":"H:host:1","function":"checksum_v0.0","age":1.5,"tasks":128,
//                "begun":12,"ended":10,"waits_for_host":false,"waiting":["…"]}],
//    "subsets":[{"handle":"H:host:1","function":"checksum_v0.0","pid":99,"age":1.4,"running":["…"],"ended":["…"],
//                "waiting":["…"]}],"hosts":[…],"servers":[…],
//    "reports":[{"task":"…","begun":"2024-08-04T21:34:35.241750+00:00","ended":null,"exit_code":0,"counts":false}]}
//
//   {"request":"cancel","tasks":["…"],"subset":false}
//   {"tasks":[{"id":"…","outcome":"shared","shares":["…"]}]}      outcome: Cancellation::Kind
//   (worker_status.hpp)
//
//   {"request":"written","task":"…"}
//   {"found":true,"stdout":"…","stderr":"…"}                    of each the last 64 KiB, as UTF-8
//
//   {"error":"There is no request \"statsu\"; there are status, written and cancel."}
#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "worker/worker_status.hpp"

namespace quire {

// The worker's side, for whoever is in its process. All of it may be called by any thread; from another one
// than that of the main loop it waits until that loop comes round, and throws ControlUnavailable when that
// takes longer than some seconds, as in the last moments of a worker that ends.
struct ControlUnavailable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class WorkerControl {
 public:
  virtual ~WorkerControl() = default;

  virtual WorkerStatus snapshot() = 0;

  // Nothing for a task that does not run here.
  virtual std::optional<WrittenSoFar> written([[maybe_unused]] const std::string& id) { return std::nullopt; }

  // Cancels tasks that are in hand: one answer for each id, in their order. A task that has not begun is kept
  // from beginning. One that runs is ended (TERM, KILL after grace_period), and this returns at once, before
  // it has. Where a script's jobs are independent, no other task is harmed: those that have ended keep their
  // results, and the others run in a new process. Elsewhere the tasks of the same process that have begun
  // fail with it, which with_subset must allow; those that have not run in a new process. A cancelled task is
  // answered with cancelled_exit_code (batch.hpp) and a sentence on its stderr.
  virtual std::vector<Cancellation> cancel(const std::vector<std::string>& ids, bool with_subset) = 0;
};

// The answer to one line of a client. Never throws: what is wrong with the line is its answer.
std::string answer_request(WorkerControl& control, std::string_view line);

// The client's side of the same. The decoding ones throw std::runtime_error with a sentence, that of the
// worker where it answered with an error.
std::string status_request();
std::string written_request(const std::string& id);
std::string cancel_request(const std::vector<std::string>& ids, bool with_subset);
WorkerStatus decode_status(std::string_view line);
std::optional<WrittenSoFar> decode_written(std::string_view line);
std::vector<Cancellation> decode_cancellations(std::string_view line);

// A status as the wire has it, for who prints it.
std::string encode_status(const WorkerStatus& status);

}  // namespace quire
