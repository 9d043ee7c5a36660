// The parts of `quire scripts`, one file each.
#pragma once

#include <string>
#include <vector>

#include "worker/module.hpp"

namespace quire {

int run_scripts_list(const std::vector<std::string>& arguments);
int run_scripts_check(const std::vector<std::string>& arguments);
int run_scripts_new(const std::vector<std::string>& arguments);

// "native", "python" or "program".
const char* name_of(ModuleKind kind);

}  // namespace quire
