// hello — the smallest client script. Copy it to begin one of your own.
//
//   arg 1   whom to greet
#include <quire/client_script.hpp>

void call(quire::Jobs jobs) {
  quire::for_each_job(jobs, [](quire::Job& job) { job.print_output("Hello,", job.arg(1)); });
}
