// check_for_manual_normalization — status 179 when a SIP brings files that were normalized by hand, 0 when
// not.
//
//   arg 1, 2   the SIP's UUID and name; not used
//   arg 3      the SIP's folder
#include <algorithm>
#include <thread>

#include <quire/client_script.hpp>

#include "file_system.hpp"

namespace {

void check(quire::Job& job) {
  const std::string folder = quire::join(job.arg(3), "objects/manualNormalization");
  job.print_output("Manual normalization path:", folder);
  if (!quire::is_directory(folder)) return;
  const auto holds_something = [&folder](const char* name) {
    const std::string path = quire::join(folder, name);
    return quire::is_directory(path) && !quire::list_folder(path).empty();
  };
  if (holds_something("access") || holds_something("preservation")) {
    job.print_output("Manually normalized files found");
    job.set_status(179);
  }
}

}  // namespace

void call(quire::Jobs jobs) { quire::for_each_job(jobs, check); }

int concurrent_instances() { return static_cast<int>(std::max(1U, std::thread::hardware_concurrency())); }

bool independent_jobs() { return true; }
