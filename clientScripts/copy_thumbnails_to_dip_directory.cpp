// copy_thumbnails_to_dip_directory — copies the thumbnails of a SIP into its DIP, as the new folder
// thumbnails.
//
//   arg 1   the folder of thumbnails; when there is none, nothing is copied
//   arg 2   the DIP's folder
#include <algorithm>
#include <stdexcept>
#include <thread>

#include <quire/client_script.hpp>

#include "file_tree.hpp"

namespace {

void copy_thumbnails(quire::Job& job) {
  const std::string& thumbnails = job.arg(1);
  const std::string target = quire::join(job.arg(2), "thumbnails");
  if (!quire::is_directory(thumbnails)) {
    // The %s is in the text that controllers know.
    job.print_output("Nothing to copy as thumbnail directory does not exist: %s", thumbnails);
    return;
  }
  if (quire::is_within(target, thumbnails)) {
    throw std::runtime_error("cannot copy " + thumbnails + " to " + target +
                             ", which is inside it; name another DIP folder.");
  }
  quire::copy_tree(thumbnails, target, quire::Links::follow);
}

}  // namespace

void call(quire::Jobs jobs) { quire::for_each_job(jobs, copy_thumbnails); }

int concurrent_instances() { return static_cast<int>(std::max(1U, std::thread::hardware_concurrency())); }

bool independent_jobs() { return true; }
