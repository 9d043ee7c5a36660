// Check: whether the record can be written.
#include "worker/health/checks.hpp"
#include "worker/health/record_check.hpp"
#include "worker/mariadb_address.hpp"
#include "worker/owed_table.hpp"

namespace quire::checks {

void record(Examination& site) {
  for (const WorkerStatus& worker : site.facts().workers) {
    if (worker.record_healthy) continue;
    site.alarm("Worker " + worker.client + " cannot write its record: " + worker.record_problem +
               " Mend the file, its folder or the disk; what is kept in memory is then written by itself.");
  }
  const Settings& settings = site.settings();
  if (!settings.keeps_record()) {
    site.say_well(
        "No record is kept (record = none): a task that is delivered again is run again" +
        std::string(
            names_database(settings)
                ? ", and results that the controller's database does not take are lost with the worker."
                : "."));
    return;
  }
  const std::string problem = record_problem(settings.record);
  if (!problem.empty()) {
    site.alarm("The record " + settings.record + " cannot be written: " + problem +
               " Mend the file, its folder or the disk, or name another with the setting record.");
  }
  if (const Owed owed = owed_in(settings.record); owed.results > 0) {
    site.warn(
        owed.describe() +
        (names_database(settings)
             ? ": see that it runs and can be reached; a worker with this record then writes them."
             : ", and no setting names it: set mariadb_settings or mariadb_database, or forget them with "
               "`quire tasks clear`."));
  }
  site.say_well("The record " + settings.record + " can be written.");
}

}  // namespace quire::checks
