#include "worker/exclusive_runner.hpp"

#include <chrono>
#include <thread>

#include <doctest/doctest.h>

#include "tests/support/batches.hpp"
#include "tests/support/mariadb_server.hpp"

using namespace quire;
using namespace quire::test;
using namespace std::chrono_literals;

namespace {

// Runs for as long as its gate is closed.
struct GatedRunner : SubsetRunner {
  void run(const Module&, const std::string&, const std::string&, const std::vector<Task*>& tasks) override {
    std::unique_lock lock(mutex);
    ++running;
    changed.notify_all();
    changed.wait(lock, [&] { return open; });
    --running;
    for (Task* task : tasks) task->result.emplace();
  }
  void wait_for(std::size_t count) {
    std::unique_lock lock(mutex);
    REQUIRE(changed.wait_for(lock, 60s, [&] { return running == count; }));
  }
  void open_gate() {
    const std::lock_guard lock(mutex);
    open = true;
    changed.notify_all();
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::size_t running = 0;
  bool open = false;
};

// A host of its own, with a batch of the script `one_at_a_time`.
struct Host {
  explicit Host(MariadbServer& server, bool concurrent = false)
      : exclusive(runner,
                  {.address = server.address(),
                   .is_concurrent = [concurrent](const Module&, const std::string&) { return concurrent; },
                   .waits = [this](bool begins) { waiting += begins ? 1 : -1; }}) {}
  ~Host() {
    runner.open_gate();
    if (thread.joinable()) thread.join();
  }
  void start() {
    thread = std::thread([this] {
      Module module;
      module.name = "one_at_a_time";
      exclusive.run(module, "one_v0.0", "H:host:1", batch.unanswered());
    });
  }
  void wait_until_it_waits() const {
    for (int i = 0; i < 6000 && waiting == 0; ++i) std::this_thread::sleep_for(10ms);
    REQUIRE(waiting == 1);
  }

  GatedRunner runner;
  std::atomic<int> waiting = 0;
  ExclusiveRunner exclusive;
  Batch batch = make_batch("a", 2);
  std::thread thread;
};

}  // namespace

TEST_CASE("exclusive runner") {
  MariadbServer& server = MariadbServer::fresh();
  Host one(server);
  Host other(server);

  SUBCASE("the second host waits until the first is done") {
    one.start();
    one.runner.wait_for(1);
    other.start();
    other.wait_until_it_waits();
    CHECK(other.runner.running == 0);
    one.runner.open_gate();
    other.runner.wait_for(1);
    CHECK(other.waiting == 0);
    one.thread.join();
    CHECK(one.batch.tasks[0].result->error.empty());
  }
  SUBCASE("a script that may run twice does not wait") {
    Host third(server, true);
    one.start();
    one.runner.wait_for(1);
    third.start();
    third.runner.wait_for(1);
  }
  SUBCASE("who waits is let go of when the worker is stopped, without a result") {
    one.start();
    one.runner.wait_for(1);
    other.start();
    other.wait_until_it_waits();
    other.exclusive.interrupt();
    other.thread.join();
    CHECK_FALSE(other.batch.tasks[0].result.has_value());
  }
  SUBCASE("a lock that was lost while the script ran is told on the stderr of its tasks, and taken again") {
    one.start();
    one.runner.wait_for(1);
    server.kill();
    server.start();
    const auto is_held = [&] {
      return server.value("SELECT IS_FREE_LOCK('quire:MCP:one_at_a_time')") == "0";
    };
    for (int i = 0; i < 6000 && !is_held(); ++i) std::this_thread::sleep_for(10ms);
    CHECK(is_held());
    one.runner.open_gate();
    one.thread.join();
    CHECK(
        one.batch.tasks[1].result->error.starts_with("[quire: the lock that keeps this script from running"));
    CHECK(server.value("SELECT IS_FREE_LOCK('quire:MCP:one_at_a_time')") == "1");
  }
  SUBCASE("without the database it waits") {
    server.kill();
    one.start();
    one.wait_until_it_waits();
    server.start();
    one.runner.wait_for(1);
  }
}
