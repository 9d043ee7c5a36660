// remove_hidden_files_and_directories — removes what begins with a dot, and files that end with a tilde, from
// a folder and from all below it.
//
//   arg 1   the folder; linked folders below it are entered, too
#include <algorithm>
#include <thread>

#include <quire/client_script.hpp>

#include "file_tree.hpp"

namespace {

void remove_hidden(quire::Job& job, const std::string& folder) {
  for (const quire::FolderEntry& entry : quire::list_folder(folder)) {
    const std::string path = quire::join(folder, entry.name);
    const bool hidden = entry.name.starts_with('.');
    // Asked anew: an earlier removal can have taken away what a link points to.
    if (quire::is_directory(path)) {
      if (!hidden) {
        remove_hidden(job, path);
        continue;
      }
      job.print_output("Removing directory: ", path);
      quire::remove_tree(path);
    } else if (quire::is_file(path)) {
      if (!hidden && !entry.name.ends_with('~')) continue;
      job.print_output("Removing file: ", path);
      quire::remove_file(path);
    } else {
      job.print_error("Not file or directory: ", path);
    }
  }
}

}  // namespace

void call(quire::Jobs jobs) {
  quire::for_each_job(jobs, [](quire::Job& job) { remove_hidden(job, job.arg(1)); });
}

int concurrent_instances() { return static_cast<int>(std::max(1U, std::thread::hardware_concurrency())); }

bool independent_jobs() { return true; }
