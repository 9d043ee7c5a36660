// output_native — writes as many bytes of output as argument 1 says.
#include <string>

#include <quire/client_script.hpp>

void call(quire::Jobs jobs) {
  quire::for_each_job(jobs,
                      [](quire::Job& job) { job.write_output(std::string(std::stoul(job.arg(1)), 'x')); });
}

int concurrent_instances() { return 2; }
