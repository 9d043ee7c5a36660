// gate — what gated.py does, in one process and never twice at the same time. Built twice: as gate, and as
// gate_independent whose jobs are declared independent of each other.
//
//   arg 1   the gate, a folder
//   arg 2   anything: the job goes through without waiting
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include <quire/client_script.hpp>

void call(quire::Jobs jobs) {
  quire::for_each_job(jobs, [](quire::Job& job) {
    const std::filesystem::path gate = job.arg(1);
    job.write_output("through ");
    std::ofstream(gate / job.uuid(), std::ios::app) << ::getpid() << '\n';
    while (job.args().size() < 3 && !std::filesystem::exists(gate / "open")) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    job.write_output("the gate");
  });
}

#ifdef INDEPENDENT
bool independent_jobs() { return true; }
#endif
