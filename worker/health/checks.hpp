// The checks, a file for each group. Each says to the examination what it has found, or that all is well.
#pragma once

#include "worker/health/examination.hpp"

namespace quire::checks {

// other_workers.cpp: the workers of this site, and those of others on this host.
void workers(Examination& site);
void sites(Examination& site);

// job_server.cpp: whether job servers answer and how they were started.
void server(Examination& site);
void listening(Examination& site);
void queue(Examination& site);
void retries(Examination& site);

// modules.cpp: what the module table promises, at the job servers and on this host.
void functions(Examination& site);
void modules(Examination& site);

// record.cpp: whether it can be written.
void record(Examination& site);

// database.cpp: whether the controller's database takes it, too.
void database(Examination& site);

// host.cpp: what this host has for them.
void disk(Examination& site);
void limits(Examination& site);
void clock(Examination& site);

}  // namespace quire::checks
