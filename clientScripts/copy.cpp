// copy — the program cp under Archivematica's name.
//
//   arg 1…   the arguments of cp
#include "run_tool.hpp"

void call(quire::Jobs jobs) {
  quire::for_each_job(jobs, [](quire::Job& job) { quire::run_tool("cp", job); });
}

bool independent_jobs() { return true; }
