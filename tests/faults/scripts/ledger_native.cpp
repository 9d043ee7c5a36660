// ledger_native — writes to a ledger that it began a task and that it came to its end.
//
//   arg 1   the ledger; arg 2: the task's id; arg 3: how long to work, in milliseconds
//
// A line is one write to a file opened for appending, so that the lines of many processes do not mix. The
// output tells which run of the task it was.
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>
#include <string>

#include <quire/client_script.hpp>

namespace {

std::string now() { return std::to_string(std::chrono::system_clock::now().time_since_epoch().count()); }

void run(quire::Job& job) {
  const int ledger = open(job.arg(1).c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  const auto write_line = [&](const std::string& line) {
    if (write(ledger, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
      throw std::runtime_error("the ledger cannot be written");
    }
  };
  const std::string run = std::to_string(getpid()) + "-" + now();
  write_line("B " + job.arg(2) + " " + now() + "\n");
  usleep(static_cast<useconds_t>(std::stoul(job.arg(3)) * 1000));
  write_line("E " + job.arg(2) + " " + now() + "\n");
  close(ledger);
  job.write_output(run);
}

}  // namespace

void call(quire::Jobs jobs) { quire::for_each_job(jobs, run); }

int concurrent_instances() { return 2; }
