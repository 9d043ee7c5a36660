// What gearmand tells administrators: its text protocol. CCP's embedded job server has none.
#pragma once

#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include "worker/job_server.hpp"

namespace quire {

// One function that the job server knows, because a job waits for it or a worker offers it.
struct FunctionStatus {
  std::string name;
  std::size_t jobs = 0;  // waiting and running
  std::size_t running = 0;
  std::size_t workers = 0;  // that offer it
};

// Nobody is there: it is no question of what is understood.
struct NotConnected : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Asks a job server for its functions. Blocks for `limit` at most; throws std::runtime_error with a sentence
// when it cannot be reached (NotConnected), takes longer or says something else.
std::vector<FunctionStatus> function_status(const JobServer& server, std::chrono::milliseconds limit);

// A connection of a worker to the job server.
struct WorkerConnection {
  std::string address;
  std::string identifier;  // what the worker calls itself: "quire@HOST:PID" is one of ours; "-": nothing
  std::vector<std::string> functions;
};

// Asks a job server for the connections that offer functions. As function_status().
std::vector<WorkerConnection> worker_connections(const JobServer& server, std::chrono::milliseconds limit);

// What it says of its version. As function_status().
std::string server_version(const JobServer& server, std::chrono::milliseconds limit);

}  // namespace quire
