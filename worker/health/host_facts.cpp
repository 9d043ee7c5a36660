#include "worker/health/host_facts.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include <filesystem>

namespace quire {
namespace {

namespace fs = std::filesystem;

bool follows_another_clock() {
  timex state{};
  return ::adjtimex(&state) != TIME_ERROR;
}

std::optional<std::uint64_t> number_of(rlim_t limit) {
  if (limit == RLIM_INFINITY) return std::nullopt;
  return limit;
}

// The kernel asks for the real user; a process has its folder in /proc for the effective one, which a worker
// does not change alone.
bool is_of_root(int pid) {
  if (pid == 0) return ::getuid() == 0;
  struct stat process {};
  return ::stat(("/proc/" + std::to_string(pid)).c_str(), &process) == 0 && process.st_uid == 0;
}

std::optional<ProcessLimits> limits(int pid) {
  rlimit files{};
  rlimit processes{};
  if (::prlimit(pid, RLIMIT_NOFILE, nullptr, &files) != 0 ||
      ::prlimit(pid, RLIMIT_NPROC, nullptr, &processes) != 0) {
    return std::nullopt;
  }
  ProcessLimits limits;
  // A worker raises this one as far as it may when it starts.
  limits.open_files = number_of(pid == 0 ? files.rlim_max : files.rlim_cur);
  if (!is_of_root(pid)) limits.processes = number_of(processes.rlim_cur);
  return limits;
}

std::optional<DiskSpace> space(const std::string& folder) {
  fs::path path = folder;
  std::error_code error;
  while (!path.empty() && path != path.root_path() && !fs::exists(path, error)) path = path.parent_path();
  struct statvfs disk {};
  struct stat found {};
  if (::statvfs(path.c_str(), &disk) != 0 || ::stat(path.c_str(), &found) != 0) return std::nullopt;
  DiskSpace space{.device = found.st_dev, .bytes = disk.f_bavail * disk.f_frsize};
  if (disk.f_files > 0) space.inodes = disk.f_favail;
  return space;
}

}  // namespace

HostFacts::HostFacts()
    : clock_is_synchronised(follows_another_clock),
      limits_of(limits),
      disk_space(space),
      listens_everywhere([](std::uint16_t port) { return quire::listens_everywhere(port); }),
      gearmand(gearmand_facts) {}

}  // namespace quire
