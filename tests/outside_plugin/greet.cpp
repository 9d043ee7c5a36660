// greet — a greeting in the language that is asked for.
//
//   arg 1   whom to greet
//   arg 2   en or de
#include "phrase.hpp"

void call(quire::Jobs jobs) {
  quire::for_each_job(jobs, [](quire::Job& job) { job.print_output(phrase(job), job.arg(1)); });
}

int concurrent_instances() { return 2; }
