// size — answers with the number of bytes of its first argument.
#include <quire/client_script.hpp>

void call(quire::Jobs jobs) {
  quire::for_each_job(jobs, [](quire::Job& job) { job.print_output(job.arg(1).size()); });
}
