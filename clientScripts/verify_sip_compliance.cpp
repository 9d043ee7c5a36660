// verify_sip_compliance — whether a SIP has the shape that it must have. The status is the number of
// problems; each is told on stderr.
//
//   arg 1   the SIP's folder
#include <algorithm>
#include <thread>

#include "compliance.hpp"

void call(quire::Jobs jobs) {
  quire::for_each_job(jobs,
                      [](quire::Job& job) { job.set_status(quire::verify_compliance(job, job.arg(1))); });
}

int concurrent_instances() { return static_cast<int>(std::max(1U, std::thread::hardware_concurrency())); }

bool independent_jobs() { return true; }
