#include "worker/health/health.hpp"

#include <algorithm>
#include <array>

#include "worker/health/checks.hpp"

namespace quire {
namespace {

struct Check {
  const char* name;
  void (*run)(Examination&);
};

// clang-format off
constexpr std::array all_checks = {
    Check{"workers",   checks::workers},
    Check{"server",    checks::server},
    Check{"listening", checks::listening},
    Check{"queue",     checks::queue},
    Check{"retries",   checks::retries},
    Check{"functions", checks::functions},
    Check{"sites",     checks::sites},
    Check{"modules",   checks::modules},
    Check{"record",    checks::record},
    Check{"database",  checks::database},
    Check{"disk",      checks::disk},
    Check{"limits",    checks::limits},
    Check{"clock",     checks::clock},
};
// clang-format on

}  // namespace

const std::vector<std::string>& health_checks() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Check& check : all_checks) all.emplace_back(check.name);
    return all;
  }();
  return names;
}

Findings examine(const SiteFacts& site, const std::vector<std::string>& without) {
  Examination examination(site);
  for (const Check& check : all_checks) {
    if (std::ranges::find(without, check.name) != without.end()) continue;
    examination.begin(check.name);
    check.run(examination);
  }
  return examination.take();
}

}  // namespace quire
