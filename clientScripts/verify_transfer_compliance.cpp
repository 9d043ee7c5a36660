// verify_transfer_compliance — whether a transfer has the shape that it must have, and holds a file. The
// status is the number of problems; each is told on stderr.
//
//   arg 1   the transfer's folder
#include <algorithm>
#include <thread>

#include "compliance.hpp"
#include "file_system.hpp"

void call(quire::Jobs jobs) {
  quire::for_each_job(jobs, [](quire::Job& job) {
    std::int64_t problems = quire::verify_compliance(job, job.arg(1));
    if (!quire::holds_files(job.arg(1))) {
      job.print_error("Error, no files found");
      ++problems;
    }
    job.set_status(problems);
  });
}

int concurrent_instances() { return static_cast<int>(std::max(1U, std::thread::hardware_concurrency())); }

bool independent_jobs() { return true; }
