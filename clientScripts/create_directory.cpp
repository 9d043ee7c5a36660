// create_directory — the program mkdir under Archivematica's name.
//
//   arg 1…   the arguments of mkdir
#include "run_tool.hpp"

void call(quire::Jobs jobs) {
  quire::for_each_job(jobs, [](quire::Job& job) { quire::run_tool("mkdir", job); });
}

bool independent_jobs() { return true; }
