// Check: whether the record can be written.
#include "worker/health/checks.hpp"
#include "worker/health/record_check.hpp"

namespace quire::checks {

void record(Examination& site) {
  for (const WorkerStatus& worker : site.facts().workers) {
    if (worker.record_healthy) continue;
    site.alarm("Worker " + worker.client + " cannot write its record: " + worker.record_problem +
               " Mend the file, its folder or the disk; what is kept in memory is then written by itself.");
  }
  const Settings& settings = site.settings();
  if (!settings.keeps_record()) {
    site.say_well("No record is kept (record = none): a task that is delivered again is run again.");
    return;
  }
  const std::string problem = record_problem(settings.record);
  if (!problem.empty()) {
    site.alarm("The record " + settings.record + " cannot be written: " + problem +
               " Mend the file, its folder or the disk, or name another with the setting record.");
  }
  site.say_well("The record " + settings.record + " can be written.");
}

}  // namespace quire::checks
