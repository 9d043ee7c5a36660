// Checks: what this host has for the workers: room on its disks, processes and files, a clock.
#include <array>
#include <filesystem>
#include <map>

#include "worker/health/checks.hpp"
#include "worker/health/record_check.hpp"

namespace quire {
namespace {

using Level = Finding::Level;

struct Least {
  Level level;
  std::uint64_t bytes;
  std::uint64_t inodes;
};
// Below the first a record of a busy day may fill the disk; below the second it cannot be written for long.
constexpr std::array little = {Least{Level::critical, 64ULL << 20, 16},
                               Least{Level::warning, 1ULL << 30, 1000}};

// A connection, a host and a subset take descriptors each: with these a worker at work was never short.
void check_files(Examination& site, const std::string& who, std::optional<std::uint64_t> limit,
                 std::size_t slots, std::size_t processes) {
  const std::size_t wanted = 128 + 2 * slots + 12 * processes;
  if (!limit || *limit >= wanted) return;
  site.warn("Open files are limited to " + std::to_string(*limit) + " for " + who + ", which wants " +
            std::to_string(wanted) +
            " with these settings: raise LimitNOFILE= of its unit or ulimit -n, or lower workers and "
            "max_processes.");
}

void check_processes(Examination& site, const std::string& who, std::optional<std::uint64_t> limit,
                     std::size_t processes) {
  const std::size_t wanted = 64 + 8 * processes;
  if (!limit || *limit >= wanted) return;
  site.warn("Processes are limited to " + std::to_string(*limit) + " for the user of " + who + ", and " +
            std::to_string(wanted) +
            " may be wanted with these settings: raise LimitNPROC= of its unit or ulimit -u, or lower "
            "max_processes.");
}

}  // namespace

namespace checks {

void disk(Examination& site) {
  const Settings& settings = site.settings();
  struct Disk {
    DiskSpace space;
    std::string holds;
    std::string folder;
  };
  std::map<std::uint64_t, Disk> disks;
  const auto add = [&](const std::string& folder, const std::string& what) {
    const std::optional<DiskSpace> space = site.host().disk_space(folder);
    if (!space) return;
    Disk& disk = disks.try_emplace(space->device, Disk{*space, {}, folder}).first->second;
    disk.holds += (disk.holds.empty() ? "" : " and ") + what;
  };
  if (settings.keeps_record()) {
    add(std::filesystem::path(settings.record).parent_path(), "the record");
  }
  add(settings.state_directory, "the state directory");
  for (const auto& [device, disk] : disks) {
    const auto tell = [&](Level level, const std::string& left, const std::string& remedy) {
      site.say(level,
               "The disk with " + disk.holds + " has " + left + " left in " + disk.folder + ": " + remedy);
    };
    for (const Least& least : little) {
      if (disk.space.bytes >= least.bytes) continue;
      tell(least.level, std::to_string(disk.space.bytes >> 20) + " MiB",
           "make room there; " + site.suggested("tasks clear", "--before 30d") +
               " makes some in the record, for tasks to come.");
      break;
    }
    for (const Least& least : little) {
      if (!disk.space.inodes || *disk.space.inodes >= least.inodes) continue;
      tell(least.level, counted(*disk.space.inodes, "inode", "inodes"),
           "no more files than that can be made; delete some that nobody needs.");
      break;
    }
  }
  site.say_well("There is room on the disks of the record and of the state directory.");
}

void limits(Examination& site) {
  const Settings& settings = site.settings();
  const auto look_at = [&](int pid, const std::string& who, std::size_t slots, std::size_t processes) {
    const std::optional<ProcessLimits> limits = site.host().limits_of(pid);
    if (!limits) {
      site.say(Level::ok, "It cannot be told from here which limits " + who +
                              " has: it is another user's, or has ended meanwhile.");
      return;
    }
    check_files(site, who, limits->open_files, slots, processes);
    check_processes(site, who, limits->processes, processes);
  };
  if (site.facts().workers.empty())
    look_at(0, "a worker that this user starts", settings.workers, settings.max_processes);
  for (const WorkerStatus& worker : site.facts().workers)
    look_at(worker.pid, "worker " + worker.client, worker.slots, worker.max_processes);
  site.say_well("Open files and processes suffice for the settings.");
}

void clock(Examination& site) {
  const Settings& settings = site.settings();
  const Timestamp latest = settings.keeps_record() ? latest_end(settings.record) : Timestamp{};
  if (latest > now() + std::chrono::minutes(1)) {
    site.alarm(
        "The record has a task that ended at " + record_time(latest) +
        " UTC, which is yet to come by the clock of this host: synchronise the clocks of all hosts with "
        "workers (chrony, systemd-timesyncd).");
  }
  if (!site.host().clock_is_synchronised()) {
    site.warn(
        "The clock of this host is not synchronised, so that times of tasks cannot be compared: run chrony "
        "or "
        "systemd-timesyncd.");
  }
  site.say_well("The clock is synchronised.");
}

}  // namespace checks
}  // namespace quire
