// restructure_for_compliance_maildir — makes the folders that a unit must have, and moves all else at its top
// into objects/Maildir.
//
//   arg 1   the unit's folder
#include <algorithm>
#include <set>
#include <thread>

#include <quire/client_script.hpp>

#include "file_tree.hpp"

namespace {

void make_required_folders(quire::Job& job, const std::string& unit) {
  for (const char* name : {"logs", "logs/fileMeta", "metadata", "metadata/submissionDocumentation", "objects",
                           "objects/Maildir"}) {
    const std::string folder = quire::join(unit, name);
    if (quire::is_directory(folder)) continue;
    quire::make_folder(folder);
    job.print_output("creating: ", name);
  }
}

void move_all_else(quire::Job& job, const std::string& unit) {
  static const std::set<std::string> stay{"logs", "metadata", "objects"};
  const std::string maildir = quire::join(unit, "objects/Maildir");
  for (const quire::FolderEntry& entry : quire::list_folder(unit)) {
    const std::string path = quire::join(unit, entry.name);
    if (quire::is_directory(path)) {
      if (stay.contains(entry.name)) continue;
      quire::move_path(path, maildir);
      job.print_output("moving directory to objects/Maildir: ", entry.name);
    } else if (quire::is_file(path)) {
      if (entry.name == "processingMCP.xml") continue;
      quire::move_path(path, maildir);
      job.print_output("moving file to objects/Maildir: ", entry.name);
    }
  }
}

}  // namespace

void call(quire::Jobs jobs) {
  quire::for_each_job(jobs, [](quire::Job& job) {
    make_required_folders(job, job.arg(1));
    move_all_else(job, job.arg(1));
  });
}

int concurrent_instances() { return static_cast<int>(std::max(1U, std::thread::hardware_concurrency())); }

bool independent_jobs() { return true; }
