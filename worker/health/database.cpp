// Check: whether the controller's database takes what workers write, where one is named.
#include "worker/health/checks.hpp"
#include "worker/mariadb_address.hpp"
#include "worker/mariadb_check.hpp"

namespace quire::checks {

void database(Examination& site) {
  if (!names_database(site.settings())) return site.say_well("No setting names a database of a controller.");
  for (const Finding& finding : check_mariadb(site.settings(), std::chrono::seconds(3)))
    site.say(finding.level, finding.sentence);
}

}  // namespace quire::checks
