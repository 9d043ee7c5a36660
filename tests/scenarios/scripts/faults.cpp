// faults — does what goes wrong. Built twice: as faults, and as faults_independent whose jobs are declared
// independent of each other.
//
//   arg 1   what to do; see below
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include <quire/client_script.hpp>

namespace {

void write_all(int descriptor, const std::string& bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = write(descriptor, bytes.data() + done, bytes.size() - done);
    if (count < 0) throw std::runtime_error("write failed");
    done += static_cast<std::size_t>(count);
  }
}

// A page without any right: a true segmentation fault, also under a sanitizer.
void segfault() {
  void* page = mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  *static_cast<volatile char*>(page) = 1;
}

void fail() { throw std::runtime_error("thrown out of call"); }
void fail_where_nothing_may() noexcept { fail(); }

void run(quire::Job& job) {
  const std::string& what = job.arg(1);
  if (what == "segfault") segfault();
  if (what == "abort") std::abort();
  if (what == "kill") raise(SIGKILL);
  if (what == "_exit0") _exit(0);
  if (what == "exit3") std::exit(3);
  if (what == "throw") throw std::runtime_error("thrown in the scope of a job");
  if (what == "close") {
    for (int descriptor = 0; descriptor < 1024; ++descriptor) close(descriptor);
  }
  if (what == "print") {
    write_all(1, "printed by " + job.uuid());
    write_all(2, "complained by " + job.uuid());
  }
  if (what == "flood") {
    const std::string block(64 * 1024, 'x');
    for (int i = 0; i < 64; ++i) write_all(1, block);
  }
  if (what == "garbage") {
    std::string bytes;
    for (int i = 0; i < 4096; ++i) bytes += static_cast<char>(i * 7);
    write_all(1, bytes);
    write_all(2, bytes);
    job.write_output(bytes);
  }
  job.print_output("done", what);
}

}  // namespace

void call(quire::Jobs jobs) {
  // The scenarios mean it when they crash: no core files.
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  quire::for_each_job(jobs, run);
  for (quire::Job& job : jobs) {
    if (job.args().size() > 2 && job.arg(2) == "escape") fail();
    if (job.args().size() > 2 && job.arg(2) == "terminate") fail_where_nothing_may();
  }
}

int concurrent_instances() { return 2; }

#ifdef INDEPENDENT
bool independent_jobs() { return true; }
#endif
