// create_directory_tree — the program tree (Debian's package tree) under Archivematica's name.
//
//   arg 1…   the arguments of tree
#include "run_tool.hpp"

void call(quire::Jobs jobs) {
  quire::for_each_job(jobs, [](quire::Job& job) { quire::run_tool("tree", job); });
}

bool independent_jobs() { return true; }
