#include "worker/record_writer.hpp"

#include <array>
#include <sstream>
#include <thread>

#include <doctest/doctest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

using namespace quire;
using namespace std::chrono_literals;

namespace {

// A store that refuses what it is told to refuse.
struct PickyStore : RecordStore {
  std::string name() const override { return "picky store"; }
  void write(std::span<const RecordEntry> entries, std::chrono::milliseconds) override {
    {
      std::unique_lock lock(mutex);
      ++writes;
      changed.notify_all();
      changed.wait(lock, [&] { return open; });
    }
    for (const RecordEntry& entry : entries) {
      if (entry.batch->function == "bad") throw std::runtime_error("too bad");
    }
    written += entries.size();
    sizes.push_back(entries.size());
  }

  std::mutex mutex;
  std::condition_variable changed;
  bool open = true;
  int writes = 0;
  std::size_t written = 0;
  std::vector<std::size_t> sizes;
};

}  // namespace

TEST_CASE("record writer") {
  std::ostringstream text;
  const auto log =
      std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text));
  PickyStore store;

  // The first entry holds the store while five more arrive, one of them bad where that is asked for.
  const auto write_six = [&](const std::string& third) {
    RecordWriter writer(store, log, 1s);
    std::array<Batch, 6> batches;
    batches[3].function = third;
    std::vector<std::thread> threads;
    store.open = false;
    threads.emplace_back([&] { writer.record({.batch = &batches[0], .time = now()}); });
    {
      std::unique_lock lock(store.mutex);
      store.changed.wait(lock, [&] { return store.writes == 1; });
    }
    for (std::size_t i = 1; i < 6; ++i) {
      threads.emplace_back([&, i] { writer.record({.batch = &batches[i], .time = now()}); });
    }
    while (writer.waiting() < 5) std::this_thread::yield();
    {
      const std::lock_guard lock(store.mutex);
      store.open = true;
      store.changed.notify_all();
    }
    for (std::thread& thread : threads) thread.join();
    return writer.state();
  };

  SUBCASE("what arrived meanwhile shares one transaction") {
    const RecordState state = write_six("good");
    CHECK(store.sizes == std::vector<std::size_t>{1, 5});
    CHECK(state.transactions == 2);
    CHECK(state.entries_written == 6);
  }

  SUBCASE("an entry that cannot be written takes no other with it") {
    const RecordState state = write_six("bad");
    CHECK(store.sizes == std::vector<std::size_t>{1, 1, 1, 1, 1});
    CHECK(state.entries_written == 5);
    CHECK(state.entries_lost == 1);
  }
}
