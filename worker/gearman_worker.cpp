// One room although it is long: the thread of a job server and what these threads share make one set of rules
// (which line asks, which functions it offers, when a slot is free), and are best read together.
#include "worker/gearman_worker.hpp"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include <spdlog/spdlog.h>

#include "worker/back_off.hpp"
#include "worker/bell.hpp"
#include "worker/gearman_connection.hpp"
#include "worker/slot_threads.hpp"

namespace quire {

namespace {

// Nothing is known to get lost that a thread waits for; if it were, this is how long it would stay so.
constexpr int longest_wait_milliseconds = 10'000;

// A connection with what is in hand over it.
struct Line {
  Line(std::uint64_t number, const JobServer& server, const std::string& identifier,
       const std::vector<std::string>& functions, std::set<std::string> not_offered)
      : id(number), connection(server, identifier, functions), withdrawn(std::move(not_offered)) {}

  const std::uint64_t id;
  GearmanConnection connection;
  std::set<std::string> withdrawn;             // functions that this connection does not offer at present
  std::map<std::string, std::size_t> in_hand;  // function → jobs
  std::size_t exclusive_in_hand = 0;
};

// What a handler made of a job, on its way back to the thread of its server.
struct Answer {
  std::uint64_t line = 0;
  std::shared_ptr<GearmanConnection::Job> job;
  bool exclusive = false;
  std::string handle;
  std::string function;
  std::optional<std::string> reply;
};

}  // namespace

struct GearmanWorker::Impl {
  Impl(Options given, Handler on_job, Concurrent may_run_twice)
      : options(std::move(given)), handler(std::move(on_job)), concurrent(std::move(may_run_twice)) {
    for (const JobServer& address : options.servers) servers.emplace_back(*this, address);
    for (Server& server : servers) server.thread = std::thread([&server] { server.run(); });
  }

  ~Impl() {
    stop();
    wait();
  }

  // One job server and the thread that serves it.
  //
  // A job must be answered over the connection that it came by, and a function must not be withdrawn from a
  // connection over which a job of it is in hand: gearmand takes the job away. So, while a job of a script is
  // in hand that must not run twice, its line asks for nothing more, and another line, which does not offer
  // the function, goes on. Only one line asks at a time: a job server wakes every connection that sleeps.
  struct Server {
    Server(Impl& given_worker, const JobServer& given)
        : worker(given_worker), address(given), name(given.name()) {}

    void run() {
      bool told = false;
      while (!done()) {
        try {
          turn();
          told = false;
        } catch (const ConnectionLost& error) {
          if (!told) spdlog::warn("job server {}; trying again until it is there", error.what());
          told = true;
          pause(back_off.next());
        }
      }
      lines.clear();
    }

    // Sends what is answered, asks for more, and waits for something to happen. Throws ConnectionLost where
    // no connection is left and none can be made.
    void turn() {
      for (Answer& answer : take_answers()) send(answer);
      if (worker.stopping()) {
        for (Line& line : lines) line.connection.stop_asking();
      } else if (worker.slot_free()) {
        ask();
      }
      if (std::exchange(line_lost, false) || done()) return;
      wait_for_events();
      for (auto line = lines.begin(); line != lines.end();) {
        const auto next = std::next(line);
        receive(line);
        line = next;
      }
    }

    // Sees to it that one line asks.
    void ask() {
      const auto asking = [](const Line& line) { return line.connection.asking(); };
      auto line = std::find_if(lines.begin(), lines.end(), asking);
      if (line == lines.end()) {
        line = std::find_if(lines.begin(), lines.end(),
                            [](const Line& spare) { return spare.exclusive_in_hand == 0; });
      }
      if (line == lines.end()) {
        const std::set<std::string> withdrawn = worker.exclusive_functions();
        const std::vector<std::string> offered = worker.functions_without(withdrawn);
        if (offered.empty()) return;
        lines.emplace_back(++last_line, address, worker.options.identifier, offered, withdrawn);
        line = std::prev(lines.end());
      }
      guarded(line, [&](Line& chosen) {
        adjust_offers(chosen);
        if (chosen.connection.asking()) return;
        chosen.connection.ask();
        if (!connected)
          spdlog::info("job server {}: connected, {} functions offered", name,
                       worker.options.functions.size());
        connected = true;
        back_off.reset();
      });
    }

    void adjust_offers(Line& line) {
      const std::set<std::string> wanted = worker.exclusive_functions();
      for (const std::string& function : wanted) {
        if (line.withdrawn.contains(function) || line.in_hand.contains(function)) continue;
        line.connection.withdraw(function);
        line.withdrawn.insert(function);
      }
      std::erase_if(line.withdrawn, [&](const std::string& function) {
        if (wanted.contains(function)) return false;
        line.connection.offer(function);
        return true;
      });
    }

    void wait_for_events() {
      std::vector<pollfd> waiting{{bell.descriptor(), POLLIN, 0}};
      for (const Line& line : lines) waiting.push_back({line.connection.descriptor(), POLLIN, 0});
      ::poll(waiting.data(), waiting.size(), longest_wait_milliseconds);
      bell.silence();
    }

    void receive(std::list<Line>::iterator line) {
      guarded(line, [this](Line& from) {
        if (std::unique_ptr<GearmanConnection::Taken> taken = from.connection.take())
          accept(from, std::move(taken));
      });
    }

    void accept(Line& line, std::shared_ptr<GearmanConnection::Taken> taken) {
      const std::string& function = taken->delivery.function;
      Answer answer;
      answer.line = line.id;
      answer.job = taken->job;
      answer.exclusive = !worker.concurrent(function);
      answer.handle = taken->delivery.handle;
      answer.function = function;
      ++line.in_hand[function];
      if (answer.exclusive) ++line.exclusive_in_hand;
      worker.taken(*this, answer);
      worker.slots.run([this, taken, answer]() mutable {
        answer.reply = worker.handler(taken->delivery);
        worker.answered(*this, std::move(answer));
      });
    }

    void send(Answer& answer) {
      const auto line =
          std::find_if(lines.begin(), lines.end(), [&](const Line& l) { return l.id == answer.line; });
      bool delivered = false;
      if (line != lines.end()) {
        if (--line->in_hand[answer.function] == 0) line->in_hand.erase(answer.function);
        if (answer.exclusive) --line->exclusive_in_hand;
        guarded(line, [&](Line& back) {
          if (answer.reply) {
            back.connection.complete(*answer.job, *answer.reply);
          } else {
            back.connection.fail(*answer.job);
          }
          delivered = true;
        });
      }
      if (delivered) return;
      spdlog::warn(
          "{} {}: the answer could not be delivered, its connection was lost; the job server will deliver "
          "the "
          "batch again",
          answer.handle, answer.function);
    }

    // Does something with a line. A line that is lost is given up; the next turn makes a new one.
    template <typename Action>
    void guarded(std::list<Line>::iterator line, Action action) {
      try {
        action(*line);
      } catch (const ConnectionLost& error) {
        spdlog::warn("job server {}", error.what());
        lines.erase(line);
        line_lost = true;
        connected = false;
        if (!worker.stopping()) pause(back_off.next());
      }
    }

    // Waits, but not longer than until the worker is stopped.
    void pause(std::chrono::milliseconds time) {
      const auto end = std::chrono::steady_clock::now() + time;
      while (!worker.stopping()) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
        if (left.count() <= 0) return;
        pollfd waiting{bell.descriptor(), POLLIN, 0};
        if (::poll(&waiting, 1, static_cast<int>(left.count())) > 0) bell.silence();
      }
    }

    std::deque<Answer> take_answers() {
      const std::lock_guard lock(worker.mutex);
      in_hand -= answers.size();
      return std::exchange(answers, {});
    }

    // Nothing is in hand, and nothing can arrive any more.
    bool done() const {
      const bool question_open = std::any_of(
          lines.begin(), lines.end(), [](const Line& line) { return line.connection.question_open(); });
      const std::lock_guard lock(worker.mutex);
      return worker.stopped && in_hand == 0 && !question_open;
    }

    Impl& worker;
    const JobServer address;
    const std::string name;
    Bell bell;
    std::deque<Answer> answers;  // guarded by worker.mutex
    std::size_t in_hand = 0;     // jobs that were taken and whose answer was not; guarded by worker.mutex
    std::thread thread;

    // Of the thread only.
    std::list<Line> lines;
    std::uint64_t last_line = 0;
    BackOff back_off;
    bool line_lost = false;  // since the last turn began: what it did is to be done again
    bool connected = false;
  };

  // ---- what the threads share ----

  void taken(Server& server, const Answer& answer) {
    const std::lock_guard lock(mutex);
    ++server.in_hand;
    ++working;
    if (answer.exclusive) ++exclusive[answer.function];
  }

  void answered(Server& server, Answer answer) {
    {
      const std::lock_guard lock(mutex);
      --working;
      if (answer.exclusive && --exclusive[answer.function] == 0) exclusive.erase(answer.function);
      server.answers.push_back(std::move(answer));
    }
    // The other servers may have a slot and a function to offer again.
    for (const Server& each : servers) each.bell.ring();
  }

  std::set<std::string> exclusive_functions() const {
    const std::lock_guard lock(mutex);
    std::set<std::string> functions;
    for (const auto& [function, count] : exclusive) functions.insert(function);
    return functions;
  }

  std::vector<std::string> functions_without(const std::set<std::string>& withdrawn) const {
    std::vector<std::string> offered;
    std::copy_if(options.functions.begin(), options.functions.end(), std::back_inserter(offered),
                 [&](const std::string& function) { return !withdrawn.contains(function); });
    return offered;
  }

  bool slot_free() const {
    const std::lock_guard lock(mutex);
    return working < options.slots;
  }

  bool stopping() const {
    const std::lock_guard lock(mutex);
    return stopped;
  }

  void stop() {
    {
      const std::lock_guard lock(mutex);
      stopped = true;
    }
    for (const Server& server : servers) server.bell.ring();
  }

  void wait() {
    for (Server& server : servers) {
      if (server.thread.joinable()) server.thread.join();
    }
  }

  const Options options;
  const Handler handler;
  const Concurrent concurrent;
  mutable std::mutex mutex;
  bool stopped = false;                          // guarded by mutex, as the next two
  std::size_t working = 0;                       // jobs that a handler works on
  std::map<std::string, std::size_t> exclusive;  // functions that must not run twice → jobs in hand
  std::list<Server> servers;
  SlotThreads slots;
};

GearmanWorker::GearmanWorker(Options options, Handler handler, Concurrent concurrent)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(handler), std::move(concurrent))) {}

GearmanWorker::~GearmanWorker() = default;

void GearmanWorker::stop() { impl_->stop(); }
void GearmanWorker::wait() { impl_->wait(); }

}  // namespace quire
