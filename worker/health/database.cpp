// Check: whether the controller's database takes what workers write, where one is named.
#include "worker/health/checks.hpp"
#include "worker/mariadb_address.hpp"
#include "worker/mariadb_check.hpp"

namespace quire::checks {
namespace {

constexpr auto patience = std::chrono::seconds(3);

Finding::Level level_of(HandOverFinding::Level level) {
  switch (level) {
    case HandOverFinding::Level::ok:
      return Finding::Level::ok;
    case HandOverFinding::Level::warning:
      return Finding::Level::warning;
    case HandOverFinding::Level::critical:
      break;
  }
  return Finding::Level::critical;
}

}  // namespace

void database(Examination& site) {
  if (!names_database(site.settings())) return site.say_well("No database of a controller is to be kept.");
  for (const HandOverFinding& finding : check_mariadb(site.settings(), patience))
    site.say(level_of(finding.level), finding.sentence);
}

}  // namespace quire::checks
