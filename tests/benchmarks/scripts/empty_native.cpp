// empty_native — does nothing, as fast as it can.
#include <quire/client_script.hpp>

void call(quire::Jobs jobs) {
  quire::for_each_job(jobs, [](quire::Job&) {});
}

int concurrent_instances() { return 2; }
