// test — the program test (the program, not the shell's builtin) under Archivematica's name.
//
//   arg 1…   the arguments of test
#include "run_tool.hpp"

void call(quire::Jobs jobs) {
  quire::for_each_job(jobs, [](quire::Job& job) { quire::run_tool("test", job); });
}

bool independent_jobs() { return true; }
