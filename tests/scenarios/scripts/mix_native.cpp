// mix_native — answers with what it was given.
//
//   arg 1   the task's id, as the placeholder %taskUUID% has it
//   arg 2   a text
//   arg 3   the exit code
#include <cstdlib>

#include <quire/client_script.hpp>

void call(quire::Jobs jobs) {
  quire::for_each_job(jobs, [](quire::Job& job) {
    job.write_output("mix_native " + job.uuid() + " " + job.arg(1) + " " + job.arg(2));
    job.write_error("error of " + job.uuid());
    job.set_status(std::atoll(job.arg(3).c_str()));
  });
}

int concurrent_instances() { return 2; }
