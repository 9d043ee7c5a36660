// What is wrong with a site, and what to do about it: each check looks at one thing and says one sentence.
#pragma once

#include <string>
#include <vector>

#include "worker/finding.hpp"
#include "worker/health/host_facts.hpp"
#include "worker/settings.hpp"
#include "worker/worker_status.hpp"

namespace quire {

// The checks in their order, for who wants to leave some out.
const std::vector<std::string>& health_checks();

// What is known already.
struct SiteFacts {
  Settings settings;                       // complete
  std::string options = {};                // of the command line that say which site this is (suggestion.hpp)
  std::vector<WorkerStatus> workers = {};  // on this host, of its state_directory
  std::vector<std::string> problems = {};  // workers that cannot be asked, with the remedy
  HostFacts host = {};
};

// Runs the checks that are not in `without`, in their order. Takes some seconds where a job server does not
// answer, and as long as loading all modules takes.
Findings examine(const SiteFacts& site, const std::vector<std::string>& without);

}  // namespace quire
