// The load: sends batches of tasks over one socket, many in flight, and counts and times the answers.
//
//   load PORT FUNCTION TASKS BATCH_SIZE IN_FLIGHT [BYTES [INTERVAL]]
//
// prints tasks per second, and the p50, p95, p99 and the longest of the times from the sending of a batch to
// its answer, in milliseconds. With BYTES each task's arguments are that number and its output is wanted, of
// so many bytes; 0: none. With INTERVAL a batch is sent every so many milliseconds, whether those before it
// have been answered or not: who only sends when he has been answered does not see how often he would have
// had to wait. Exits with 1 when a batch fails or a task has not ended well.
#include <chrono>
#include <cstdio>
#include <deque>
#include <unordered_map>

#include "tests/benchmarks/batches.hpp"
#include "tests/benchmarks/connection.hpp"

namespace benchmark {
namespace {

using Clock = std::chrono::steady_clock;

struct Figures {
  double tasks_per_second = 0;
  std::vector<double> milliseconds;  // of each batch, in ascending order

  // The time that so many of a hundred batches do not exceed.
  double percentile(std::size_t percent) const {
    return milliseconds[std::min(milliseconds.size() - 1, milliseconds.size() * percent / 100)];
  }
};

std::size_t count_of(std::string_view text, std::string_view what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + what.size()))
    ++count;
  return count;
}

// Keeps so many batches in the hands of the server: for each that comes back, sends the next, when it is due.
Figures run(int port, const Load& load) {
  const std::vector<std::string> batches = make_batches(load);
  Connection connection(port);
  std::deque<Clock::time_point> unconfirmed;                      // sent, without a handle yet, in order
  std::unordered_map<std::string, Clock::time_point> sent_times;  // by handle
  Figures figures;
  std::size_t sent = 0, succeeded = 0, received = 0;
  std::string body;
  const auto start = Clock::now();
  while (figures.milliseconds.size() < batches.size()) {
    const auto due = [&] { return start + sent * load.interval; };
    for (; sent < batches.size() && sent - figures.milliseconds.size() < load.in_flight &&
           due() <= Clock::now();
         ++sent) {
      unconfirmed.push_back(Clock::now());
      connection.send(batches[sent]);
    }
    const bool waits = sent < batches.size() && due() > Clock::now();
    if (waits && !connection.has_something_before(due())) continue;
    const Packet kind = connection.receive(body);
    if (kind == Packet::job_created) {
      sent_times.emplace(body, unconfirmed.front());
      unconfirmed.pop_front();
      continue;
    }
    if (kind != Packet::work_complete)
      throw std::runtime_error("a batch came back with packet " + std::to_string(static_cast<int>(kind)));
    const std::chrono::duration<double, std::milli> time =
        Clock::now() - sent_times.at(body.substr(0, body.find('\0')));
    figures.milliseconds.push_back(time.count());
    succeeded += count_of(body, "\"exitCode\":0,");
    received += body.size();
  }
  const std::chrono::duration<double> seconds = Clock::now() - start;
  if (succeeded != load.tasks) {
    throw std::runtime_error(std::to_string(succeeded) + " of " + std::to_string(load.tasks) +
                             " tasks ended well");
  }
  if (received < load.tasks * load.bytes) throw std::runtime_error("output is missing");
  figures.tasks_per_second = static_cast<double>(load.tasks) / seconds.count();
  std::sort(figures.milliseconds.begin(), figures.milliseconds.end());
  return figures;
}

}  // namespace
}  // namespace benchmark

int main(int count, char** arguments) try {
  if (count < 6 || count > 8)
    throw std::runtime_error("load PORT FUNCTION TASKS BATCH_SIZE IN_FLIGHT [BYTES [INTERVAL]]");
  const auto number = [&](int at) { return static_cast<std::size_t>(std::stoul(arguments[at])); };
  const benchmark::Load load{arguments[2],
                             number(3),
                             number(4),
                             number(5),
                             count > 6 ? number(6) : 0,
                             std::chrono::milliseconds(count > 7 ? number(7) : 0)};
  if (load.tasks == 0 || load.batch_size == 0 || load.in_flight == 0)
    throw std::runtime_error("TASKS, BATCH_SIZE and IN_FLIGHT must be 1 or more");
  const benchmark::Figures figures = benchmark::run(std::stoi(arguments[1]), load);
  std::printf("%.2f %.3f %.3f %.3f %.3f\n", figures.tasks_per_second, figures.percentile(50),
              figures.percentile(95), figures.percentile(99), figures.milliseconds.back());
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "load: %s\n", error.what());
  return 1;
}
