// Whether Quire could take a Python worker's place here: looked at before the change, while the old worker
// runs.
#pragma once

#include <string>

#include "worker/finding.hpp"
#include "worker/settings.hpp"

namespace quire {

// Looks at the interpreter, the shared folder, the assets, the job servers, the controller's database and
// every module, which is loaded in a process of its own, as many at once as `max_processes` allows, each
// within host_start_limit. No job is run; one file is made in the shared folder and removed. Takes as long as
// loading takes. options: those with which commands find the same site
// (suggestion.hpp). REQUIRES: the settings are complete
Findings check_hand_over(const Settings& settings, const std::string& options = {});

}  // namespace quire
