// busy_native — keeps a processor busy for ten milliseconds a job.
#include <chrono>

#include <quire/client_script.hpp>

void call(quire::Jobs jobs) {
  quire::for_each_job(jobs, [](quire::Job&) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(10);
    while (std::chrono::steady_clock::now() < end) {
    }
  });
}

int concurrent_instances() { return 2; }
