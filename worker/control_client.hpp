// Asks workers on this host over their control sockets.
#pragma once

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include "worker/worker_status.hpp"

namespace quire {

// A worker cannot be asked; what() is a sentence.
struct WorkerUnreachable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// What the workers with one state directory say. A worker that cannot be asked is in `problems`, as a
// sentence; the socket that one left behind when it died is removed, and nothing is said of it.
struct WorkersStatus {
  std::vector<std::string> sockets;  // of `workers`, in the same order
  std::vector<WorkerStatus> workers;
  std::vector<std::string> problems;
};
WorkersStatus ask_workers(const std::string& state_directory,
                          std::chrono::milliseconds limit = std::chrono::seconds(5));

// Asks one worker to cancel tasks (WorkerControl::cancel()). Throws WorkerUnreachable.
std::vector<Cancellation> ask_to_cancel(const std::string& socket, const std::vector<std::string>& ids,
                                        bool with_subset,
                                        std::chrono::milliseconds limit = std::chrono::seconds(5));

// One line to a socket and its answer. Throws WorkerUnreachable.
std::string ask_worker(const std::string& socket, const std::string& request,
                       std::chrono::milliseconds limit);

// Whether nobody listens at a socket any more: its worker is gone.
bool is_stale(const std::string& socket);

}  // namespace quire
