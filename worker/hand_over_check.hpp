// Whether Quire could take a Python worker's place here: looked at before the change, while the old worker
// runs.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "worker/settings.hpp"

namespace quire {

struct HandOverFinding {
  enum class Level { ok, warning, critical };
  Level level = Level::ok;
  std::string check;     // in one word; several findings may be of one check
  std::string sentence;  // what is so and where; what to do about it, unless it is well
};

// Why the controller's database cannot be used, as a sentence; empty: it can.
using DatabaseProblem = std::function<std::string(const Settings&)>;

// Looks at the interpreter, the shared folder, the assets, the job servers, the database (where it is said
// how) and every module, which is loaded in a process of its own, as many at once as `max_processes` allows,
// each within host_start_limit. No job is run; one file is made in the shared folder and removed. Takes as
// long as loading takes. REQUIRES: the settings are complete, their module table can be read
std::vector<HandOverFinding> check_hand_over(const Settings& settings, const DatabaseProblem& database = {});

}  // namespace quire
