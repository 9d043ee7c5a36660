// check_transfer_directory_for_objects — status 0 when a folder holds a file, at whatever depth, and 1 when
// not.
//
//   arg 1   the folder
//
// As in Archivematica, the first job with files ends the work on its batch: the later ones answer 0
// unchecked. So a batch is not divided.
#include "file_system.hpp"

#include <quire/client_script.hpp>

void call(quire::Jobs jobs) {
  bool found = false;
  quire::for_each_job(jobs, [&found](quire::Job& job) {
    if (found) return;
    found = quire::holds_files(job.arg(1));
    if (!found) job.set_status(1);
  });
}
