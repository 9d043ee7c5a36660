// A command of quire: one file each, listed in quire.cpp.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace quire {

// The exit codes of every command, as sysexits.h has them.
enum ExitCode : int {
  exit_ok = 0,
  exit_task_failed = 1,
  exit_usage = 64,
  exit_unavailable = 69,  // the job server cannot be reached, or the record not be read
  exit_software = 70,     // a fault of ours
  exit_configuration = 78,
};

// The words of the command line make no sense; what() says which and what to do. Ends the command with
// exit_usage.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Command {
  const char* name;
  const char* summary;  // one line for `quire --help`
  int (*run)(const std::vector<std::string>& arguments);
};

int run_worker(const std::vector<std::string>& arguments);
int run_submit(const std::vector<std::string>& arguments);
int run_try(const std::vector<std::string>& arguments);
int run_tasks(const std::vector<std::string>& arguments);
int run_status(const std::vector<std::string>& arguments);
int run_doctor(const std::vector<std::string>& arguments);
int run_scripts(const std::vector<std::string>& arguments);

}  // namespace quire
