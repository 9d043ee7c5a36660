// is_maildir_aip — status 179 when a unit is a maildir AIP, 0 when not.
//
//   arg 1   the unit's folder, with a slash at its end
//
// It is one when objects/Maildir and objects/attachments are folders, and every entry of Maildir can be
// found.
#include <algorithm>
#include <thread>

#include <quire/client_script.hpp>

#include "file_system.hpp"

namespace {

bool is_maildir_aip(const std::string& unit) {
  const std::string maildir =
      unit + "objects/Maildir/";  // no slash is put in between, as controllers know it
  if (!quire::is_directory(maildir) || !quire::is_directory(quire::join(unit, "objects/attachments")))
    return false;
  try {
    const std::vector<quire::FolderEntry> entries = quire::list_folder(maildir);
    return std::ranges::all_of(entries,
                               [&](const auto& entry) { return quire::exists(maildir + entry.name); });
  } catch (const quire::FileError&) {
    return false;  // what cannot be looked into is none
  }
}

}  // namespace

void call(quire::Jobs jobs) {
  quire::for_each_job(jobs, [](quire::Job& job) {
    if (is_maildir_aip(job.arg(1))) job.set_status(179);
  });
}

int concurrent_instances() { return static_cast<int>(std::max(1U, std::thread::hardware_concurrency())); }

bool independent_jobs() { return true; }
