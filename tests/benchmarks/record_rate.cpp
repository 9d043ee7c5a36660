// The record alone: threads that begin and end batches of 128 tasks with new ids, as batches in hand do.
//
//   record_rate FILE TASKS [THREADS [PROCESSES]]
//
// Prints tasks per second by the clock, tasks per second of the processor's time that is not the threads' own
// (making batches costs them some), the longest that a thread waited for begin() or finished(), and the
// resident memory after half of the tasks and at the end. With several processes one line for each, and the
// sum of all at last; the file is to be new or one that no worker uses.
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <spdlog/spdlog.h>

#include "worker/sqlite_record.hpp"

using namespace quire;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::size_t batch_size = 128;

double seconds(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double resident_mebibytes() {
  std::ifstream file("/proc/self/statm");
  long total = 0, resident = 0;
  file >> total >> resident;
  return static_cast<double>(resident * ::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

std::string make_id(std::mt19937_64& random) {
  char text[64];
  const auto high = random(), low = random();
  std::snprintf(text, sizeof text, "%08x-%04x-4%03x-8%03x-%012llx", static_cast<unsigned>(high >> 32),
                static_cast<unsigned>(high & 0xffff), static_cast<unsigned>(high >> 16 & 0xfff),
                static_cast<unsigned>(low >> 48 & 0xfff),
                static_cast<unsigned long long>(low & 0xffffffffffff));
  return text;
}

struct Outcome {
  double own_time = 0;  // of the thread's processor
  double longest = 0;   // seconds
};

// Begins and ends batches until as many have been begun as there are.
Outcome work(SqliteRecord& record, std::atomic<std::int64_t>& left, int number) {
  Outcome outcome;
  std::mt19937_64 random(std::random_device{}() + static_cast<unsigned>(number));
  const auto timed = [&](const auto& call) {
    const auto begin = Clock::now();
    call();
    outcome.longest = std::max(outcome.longest, std::chrono::duration<double>(Clock::now() - begin).count());
  };
  while (left.fetch_sub(1) > 0) {
    Batch batch;
    batch.function = "empty_v0.0";
    batch.handle = "H:host:" + std::to_string(random() % 1'000'000);
    batch.unique = make_id(random);
    batch.tasks.resize(batch_size);
    for (Task& task : batch.tasks) {
      task.id = make_id(random);
      task.created_date = "2024-08-04T21:34:35.241750+00:00";
      task.arguments = "\"%sharedPath%currently/one\" \"objects\"";
    }
    const std::string workload = encode_workload(batch.tasks);
    batch.workload = workload;
    const std::vector<Task*> tasks = batch.unanswered();
    timed([&] { record.begin(batch, tasks); });
    for (Task& task : batch.tasks) task.result.emplace().finished = now();
    timed([&] { record.finished(batch); });
    record.delivered(batch.handle, batch.unique, true);
  }
  outcome.own_time = seconds(CLOCK_THREAD_CPUTIME_ID);
  return outcome;
}

int run(const std::string& file, std::int64_t tasks, int threads) {
  const auto begin = Clock::now();
  std::vector<Outcome> outcomes(static_cast<std::size_t>(threads));
  double half = 0;
  RecordState state;
  const double time_before = seconds(CLOCK_PROCESS_CPUTIME_ID);
  {
    SqliteRecord record({.path = file, .client = "host:" + std::to_string(::getpid())},
                        spdlog::default_logger());
    for (int part = 0; part < 2; ++part) {
      std::atomic<std::int64_t> left = tasks / static_cast<std::int64_t>(batch_size) / 2;
      std::vector<std::thread> running;
      for (int i = 0; i < threads; ++i) {
        running.emplace_back([&, i] {
          const Outcome outcome = work(record, left, i);
          Outcome& sum = outcomes[static_cast<std::size_t>(i)];
          sum.own_time += outcome.own_time;
          sum.longest = std::max(sum.longest, outcome.longest);
        });
      }
      for (std::thread& thread : running) thread.join();
      if (part == 0) half = resident_mebibytes();
    }
    state = record.state();
  }
  const double taken = std::chrono::duration<double>(Clock::now() - begin).count();
  double others = seconds(CLOCK_PROCESS_CPUTIME_ID) - time_before;
  double longest = 0;
  for (const Outcome& outcome : outcomes) {
    others -= outcome.own_time;
    longest = std::max(longest, outcome.longest);
  }
  std::printf(
      "%9.0f tasks/s, %9.0f of the record's processor time; longest wait %4.0f ms; %4.1f MiB after half, "
      "%4.1f MiB at the end; %llu transactions, %llu lost\n",
      static_cast<double>(tasks) / taken, static_cast<double>(tasks) / others, longest * 1000, half,
      resident_mebibytes(), static_cast<unsigned long long>(state.transactions),
      static_cast<unsigned long long>(state.entries_lost + state.entries_waiting));
  std::fflush(stdout);
  return state.entries_lost + state.entries_waiting == 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) return std::fprintf(stderr, "usage: record_rate FILE TASKS [THREADS [PROCESSES]]\n"), 64;
  const std::string file = arguments[1];
  const std::int64_t tasks = std::atoll(arguments[2]);
  const int threads = count > 3 ? std::atoi(arguments[3]) : 4;
  const int processes = count > 4 ? std::atoi(arguments[4]) : 1;
  if (processes == 1) return run(file, tasks, threads);
  const auto begin = Clock::now();
  std::vector<pid_t> children;
  for (int i = 0; i < processes; ++i) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(run(file, tasks / processes, threads));
    children.push_back(child);
  }
  int failed = 0;
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    failed += status != 0;
  }
  const double taken = std::chrono::duration<double>(Clock::now() - begin).count();
  std::printf("%9.0f tasks/s of %d processes\n", static_cast<double>(tasks) / taken, processes);
  return failed == 0 ? 0 : 1;
}
