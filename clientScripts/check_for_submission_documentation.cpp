// check_for_submission_documentation — sees to it that the folder of the submission documentation exists and
// holds at least a file that says that there is none.
//
//   arg 1   the folder
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <thread>

#include <quire/client_script.hpp>

#include "file_system.hpp"

namespace {

void write_note(const std::string& path) {
  constexpr std::string_view note = "No submission documentation added";
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0750);
  if (fd == -1) throw quire::FileError(errno, "cannot write", path);
  const bool written = ::write(fd, note.data(), note.size()) == static_cast<ssize_t>(note.size());
  const bool permitted = ::fchmod(fd, 0750) == 0;
  const int error = errno;
  ::close(fd);
  if (!written || !permitted) throw quire::FileError(error, "cannot write", path);
}

void check(quire::Job& job) {
  const std::string& folder = job.arg(1);
  if (!quire::is_directory(folder)) {
    job.print_error("Directory doesn't exist: ", folder);
    quire::make_folder(folder);
  }
  if (quire::list_folder(folder).empty()) {
    job.print_error("Directory is empty: ", folder);
    write_note(quire::join(folder, "submissionDocumentation.log"));
  }
}

}  // namespace

void call(quire::Jobs jobs) { quire::for_each_job(jobs, check); }

int concurrent_instances() { return static_cast<int>(std::max(1U, std::thread::hardware_concurrency())); }

bool independent_jobs() { return true; }
