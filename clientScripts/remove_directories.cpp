// remove_directories — removes folders with all that is in them.
//
//   arg 1…   the folders; one that does not exist is told and is no failure
#include <algorithm>
#include <thread>

#include <quire/client_script.hpp>

#include "file_tree.hpp"

void call(quire::Jobs jobs) {
  quire::for_each_job(jobs, [](quire::Job& job) {
    for (std::size_t i = 1; i < job.args().size(); ++i) {
      const std::string& folder = job.arg(i);
      if (quire::is_directory(folder)) {
        job.print_output("Removing directory:", folder);
        quire::remove_tree(folder);
      } else {
        job.print_output("Directory does not exist:", folder);
      }
    }
  });
}

int concurrent_instances() { return static_cast<int>(std::max(1U, std::thread::hardware_concurrency())); }

bool independent_jobs() { return true; }
