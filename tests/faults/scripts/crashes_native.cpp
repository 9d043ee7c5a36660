// crashes_native — crashes and floods; argument 1 says which.
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>

#include <quire/client_script.hpp>

namespace {

void fail() { throw std::runtime_error("thrown across the C border"); }

extern "C" int compare(const void*, const void*) noexcept {
  fail();
  return 0;
}

void sort_in_C() {
  int numbers[] = {3, 2, 1};
  std::qsort(numbers, 3, sizeof(int), compare);
}

// Not that anybody would come so deep.
[[gnu::noinline]] int overflow(int depth) {
  volatile char here[4096];
  here[0] = static_cast<char>(depth);
  return depth == 0 ? 0 : overflow(depth - 1) + here[0];
}

void write_all(const std::string& bytes) {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t count = write(1, bytes.data() + done, bytes.size() - done);
    if (count < 0) throw std::runtime_error("write failed");
    done += static_cast<std::size_t>(count);
  }
}

void run(quire::Job& job) {
  const std::string& what = job.arg(1);
  if (what == "thread") std::thread([] { throw std::runtime_error("thrown in a thread"); }).join();
  if (what == "C") sort_in_C();
  if (what == "stack") overflow(1 << 30);
  if (what == "leave") std::thread([] { sleep(600); }).detach();
  if (what == "flood") {
    const std::string block(1 << 20, 'x');
    for (std::size_t left = std::stoul(job.arg(2)); left > 0; left -= block.size()) write_all(block);
  }
  if (what == "trickle") {
    for (int i = 0; i < 20; ++i) {
      write_all(".");
      usleep(10'000);
    }
  }
  if (what == "garbage") job.write_output(std::string("a\0b\xff\xc3(\xed", 7));
  job.print_output("done", what);
}

}  // namespace

void call(quire::Jobs jobs) {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);  // these crashes are meant
  quire::for_each_job(jobs, run);
}

int concurrent_instances() { return 2; }
