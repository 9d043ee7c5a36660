// All that a client script in C++ includes, and the whole contract with the worker.
//
//   #include <quire/client_script.hpp>
//
//   void call(quire::Jobs jobs) {
//     quire::for_each_job(jobs, [](quire::Job& job) { job.print_output("Hello,", job.arg(1)); });
//   }
//
// A script is one .cpp file built as a module NAME.so (quire_add_client_script in CMake). The worker runs
// call() in a process of its own, which ends when call() has returned: static objects are not destroyed.
// What a process did counts only when call() has returned; unless the jobs are declared independent, an
// exception that leaves call(), a crash or an exit() fails every job that the process was given.
#pragma once

#include <exception>
#include <span>
#include <typeinfo>

#include <quire/job.hpp>

namespace quire {

// The number of this interface: raised whenever a module built against the old one could not be loaded
// safely any more. The worker refuses a module with another number and names both.
inline constexpr int interface_version = 1;

// The jobs that one process runs: a whole batch, or a subset of one.
using Jobs = std::span<Job>;

// Runs body(job) in the job's scope. An exception that escapes body is written to the job's stderr and sets
// status 1; the next job goes on.
template <typename Body>
void job_context(Job& job, Body&& body, bool another_follows = false) {
  const JobScope scope(job, another_follows);
  try {
    std::forward<Body>(body)(job);
  } catch (const std::exception& error) {
    job.print_error(error.what());
    job.set_status(1, "error");
  } catch (...) {
    job.print_error("The script threw something that is not a std::exception.");
    job.set_status(1, "error");
  }
}

// Runs body(job) for one job after the other, each in its own scope.
template <typename Body>
void for_each_job(Jobs jobs, Body&& body) {
  for (Job& job : jobs) job_context(job, body, &job != &jobs.back());
}

}  // namespace quire

#define QUIRE_EXPORT [[gnu::visibility("default")]]

extern "C" {

// Required. Runs the jobs; every job's status, output and errors are its result.
QUIRE_EXPORT void call(quire::Jobs jobs);

// Optional. Into how many processes a batch may be divided, at least 1. A script without it is never run
// twice at the same time by one worker, nor is its batch divided.
QUIRE_EXPORT int concurrent_instances();

// Optional. True: no job depends on what another one of the batch did, so that a job which has ended keeps
// its result when the process dies with a later one. Absent: false, as for a script that holds one
// transaction over the whole batch.
QUIRE_EXPORT bool independent_jobs();

// Optional. True: the module must not be forked once it is loaded (it starts threads or opens connections
// when loaded), so every subset gets a process that loads it anew. Absent: false.
QUIRE_EXPORT bool fresh_process();

// What the module was built against; read by the worker before anything of the module is called. Weak rather
// than inline: of an inline variable the dynamic linker keeps one for the whole process, so that a second
// module would be taken for what the first one was built against.
[[gnu::weak]] QUIRE_EXPORT extern const int quire_interface_version;
[[gnu::used]] const int quire_interface_version = quire::interface_version;

}  // extern "C"
