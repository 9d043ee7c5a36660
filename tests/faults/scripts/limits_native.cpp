// limits_native — goes beyond its limits: argument 1 says in what way.
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <quire/client_script.hpp>

namespace {

// Forks without end, in sessions of their own, but never more than 300, for the machine's sake.
void bomb() {
  for (int i = 0; i < 300; ++i) {
    if (fork() == 0) {
      setsid();
      if (fork() >= 0) sleep(600);
      _exit(0);
    }
  }
  sleep(600);
}

void leave_a_daemon(quire::Job& job) {
  const pid_t child = fork();
  if (child == 0) {
    setsid();
    sleep(600);
    _exit(0);
  }
  job.print_output(child);
}

void open_many(quire::Job& job) {
  for (int i = 0; i < 500; ++i) {
    if (open("/dev/null", O_RDONLY) < 0) throw std::system_error(errno, std::generic_category(), "open");
  }
  job.print_output("500");
}

void run(quire::Job& job) {
  const std::string& what = job.arg(1);
  if (what == "sleep") sleep(600);
  if (what == "spin") {
    signal(SIGTERM, SIG_IGN);
    for (volatile bool on = true; on;) continue;
  }
  if (what == "bomb") bomb();
  if (what == "memory") job.print_output(std::vector<char>(1U << 30, 'x').size());
  if (what == "files") open_many(job);
  if (what == "output") job.write_output("begin" + std::string(1U << 20, 'x') + "end");
  if (what == "print") {
    std::printf("begin%send", std::string(1U << 20, 'x').c_str());
    std::fflush(stdout);
  }
  if (what == "daemon") return leave_a_daemon(job);
  job.print_output("done", what);
}

}  // namespace

void call(quire::Jobs jobs) { quire::for_each_job(jobs, run); }

int concurrent_instances() { return 1; }
