// set_file_permission — the program chmod under Archivematica's name.
//
//   arg 1…   the arguments of chmod
#include "run_tool.hpp"

void call(quire::Jobs jobs) {
  quire::for_each_job(jobs, [](quire::Job& job) { quire::run_tool("chmod", job); });
}

bool independent_jobs() { return true; }
