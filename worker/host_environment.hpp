// What a host is started with: program, arguments and environment, from the settings.
#pragma once

#include <string>
#include <vector>

#include "worker/module.hpp"
#include "worker/settings.hpp"

namespace quire {

// The command of the host that loads this module: the program first. guarded: with a guard above it, which
// ends what the host leaves behind (guard.hpp).
std::vector<std::string> host_command(const Module& module, const Settings& settings, bool guarded = false);

// The environment of every host and so of every script, as "NAME=value": what `pass_environment` lets through
// of ours, then what section [environment] sets; LANG=C.UTF-8 where neither says which characters there are.
std::vector<std::string> host_environment(const Settings& settings);

}  // namespace quire
