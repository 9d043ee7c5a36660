// Whether a script's file is still the one that a host has loaded.
#pragma once

#include <sys/stat.h>

#include <tuple>

#include "worker/module.hpp"

namespace quire {

// What changes when a script's file is replaced, so that its host must load it anew.
using Fingerprint = std::tuple<ino_t, off_t, time_t, long>;

inline Fingerprint fingerprint_of(const Module& module) {
  struct stat status {};
  if (module.path.empty() || ::stat(module.path.c_str(), &status) != 0) return {};
  return {status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

}  // namespace quire
