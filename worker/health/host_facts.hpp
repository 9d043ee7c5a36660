// What the checks ask of this host. Each is a function that a test may replace by one with another answer.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "worker/health/gearmand_facts.hpp"
#include "worker/job_server.hpp"

namespace quire {

// No limit where there is no value.
struct ProcessLimits {
  std::optional<std::uint64_t> open_files;
  std::optional<std::uint64_t> processes;  // of its user on this host; none for root, whom it does not bind
};

struct DiskSpace {
  std::uint64_t device = 0;  // the same for folders of one disk
  std::uint64_t bytes = 0;   // that users may still fill
  std::optional<std::uint64_t> inodes =
      {};  // files that they may still make; nothing where the disk does not count
};

struct HostFacts {
  // Whether the kernel is told of a clock elsewhere that this one follows.
  std::function<bool()> clock_is_synchronised;

  // Of a running process; 0: those that a worker has whom this user starts here. Nothing where it has ended
  // or may not be seen.
  std::function<std::optional<ProcessLimits>(int pid)> limits_of;

  // Of the disk with this folder, or with the nearest one above it that is there. Nothing where it cannot be
  // told.
  std::function<std::optional<DiskSpace>(const std::string& folder)> disk_space;

  // Whether somebody listens on the port at every address of this host, as /proc/net tells.
  std::function<bool(std::uint16_t port)> listens_everywhere;

  // How the job server was started (gearmand_facts.hpp).
  std::function<std::optional<GearmandFacts>(const JobServer&)> gearmand;

  // As this host really is.
  HostFacts();
};

}  // namespace quire
