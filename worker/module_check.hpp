// Whether a client script loads, found out without harm to whoever asks.
#pragma once

#include <cstddef>
#include <string>

#include "worker/module.hpp"
#include "worker/settings.hpp"

namespace quire {

// What a module said of itself when it was loaded.
struct ModuleCheck {
  bool loaded = false;
  std::string text;                      // when it was not: why, in one or more lines
  std::size_t concurrent_instances = 0;  // 0: the script has none
  bool independent = false;
  bool fresh = false;
};

// Loads the module in a host of its own, which is ended again; no job is run. Blocks until the host has
// answered, for host_start_limit at most.
ModuleCheck check_module(const Module& module, const Settings& settings);

}  // namespace quire
