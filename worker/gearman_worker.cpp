// One room although it is long: the thread of a job server and what these threads share make one set of rules
// (which line asks, which functions it offers, when a slot is free), and are best read together.
#include "worker/gearman_worker.hpp"

#include <poll.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include "common/plural.hpp"
#include "worker/back_off.hpp"
#include "worker/bell.hpp"
#include "worker/gearman_line.hpp"
#include "worker/log.hpp"
#include "worker/slot_threads.hpp"

namespace quire {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Nothing is known to get lost that a thread waits for; if it were, this is how long it would stay so.
constexpr milliseconds longest_wait{10'000};

// How often it is looked whether there is room for work again.
constexpr milliseconds wait_for_room{200};

// A connection and the work for which it was made.
struct Line {
  Line(std::uint64_t number, std::shared_ptr<const GearmanWorker::Work> given, const JobServer& server,
       const std::string& identifier, const std::vector<std::string>& functions,
       std::set<std::string> not_offered, milliseconds patience)
      : id(number),
        work(std::move(given)),
        line(server, identifier, work->prefix, functions, std::move(not_offered), patience) {}

  const std::uint64_t id;
  const std::shared_ptr<const GearmanWorker::Work> work;
  GearmanLine line;
};

// What a handler made of a job, on its way back to the thread of its server.
struct Answer {
  std::uint64_t line = 0;
  std::shared_ptr<GearmanConnection::Job> job = {};
  bool exclusive = false;
  std::string handle = {};
  std::string unique = {};
  std::string function = {};
  GearmanWorker::Outcome outcome = {};
};

}  // namespace

struct GearmanWorker::Impl {
  Impl(Options given, Work first) : options(std::move(given)) { change(std::move(first)); }

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
  // A line that was made for earlier work asks no more, and is closed when its jobs are answered.
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
          if (!told) logs::gearman()->warn("job server {}; trying again until it is there", error.what());
          told = true;
          pause(back_off.next());
        }
      }
      for (Line& line : lines) tell_delivered(line.line.give_up());
      lines.clear();
    }

    // Sends what is answered, asks for more, and waits for something to happen. Throws ConnectionLost where
    // no connection is left and none can be made.
    void turn() {
      last_turn = Clock::now().time_since_epoch();
      work = worker.current_work();
      const bool may_take = worker.options.may_take();
      for (Answer& answer : take_answers()) send(answer);
      for_each_line([this, may_take](std::list<Line>::iterator line) {
        guarded(line, [this, may_take](Line& each) {
          if (worker.stopping() || is_retired() || each.work != work) each.line.connection().stop_asking();
          each.line.connection().hold(!may_take);
        });
      });
      if (!worker.stopping() && !is_retired() && may_take && worker.slot_free()) ask();
      for_each_line([this](std::list<Line>::iterator line) {
        guarded(line, [this](Line& each) {
          each.line.look_after();
          tell_delivered(each.line.take_delivered());
        });
      });
      close_old_lines();
      if (std::exchange(line_lost, false) || done()) return;
      wait_for_events(may_take);
      for_each_line([this](std::list<Line>::iterator line) { receive(line); });
    }

    // The action may erase the line that it is given.
    template <typename Action>
    void for_each_line(Action action) {
      for (auto line = lines.begin(); line != lines.end();) action(line++);
    }

    bool may_ask(const Line& line) const { return line.work == work; }

    // Sees to it that one line asks.
    void ask() {
      auto line = std::find_if(lines.begin(), lines.end(), [this](const Line& each) {
        return may_ask(each) && each.line.connection().asking();
      });
      if (line == lines.end()) {
        line = std::find_if(lines.begin(), lines.end(), [this](const Line& spare) {
          return may_ask(spare) && !spare.line.has_exclusive();
        });
      }
      if (line == lines.end()) {
        const std::set<std::string> withdrawn = withdrawn_functions();
        const std::vector<std::string> offered = functions_without(withdrawn);
        if (offered.empty()) return;
        lines.emplace_back(++last_line, work, address, worker.options.identifier, offered, withdrawn,
                           worker.options.patience);
        line = std::prev(lines.end());
      }
      guarded(line, [&](Line& chosen) {
        chosen.line.withdraw_only(withdrawn_functions());
        if (!chosen.line.ask()) return;
        if (!connected.exchange(true)) {
          logs::gearman()->info("job server {}: connected, {} offered{}", name,
                                counted(work->functions.size(), "function"),
                                work->prefix.text().empty() ? "" : " as " + work->prefix.on_server("…"));
          worker.options.registered();
        }
        back_off.reset();
      });
    }

    // Functions of the present work of which no second job may be taken.
    std::set<std::string> withdrawn_functions() const {
      std::set<std::string> functions = worker.exclusive_functions();
      std::erase_if(functions, [this](const std::string& function) {
        return std::ranges::find(work->functions, function) == work->functions.end();
      });
      return functions;
    }

    std::vector<std::string> functions_without(const std::set<std::string>& withdrawn) const {
      std::vector<std::string> offered;
      std::copy_if(work->functions.begin(), work->functions.end(), std::back_inserter(offered),
                   [&](const std::string& function) { return !withdrawn.contains(function); });
      return offered;
    }

    // Lines of earlier work, and all when we stop, once there is nothing left to do for them.
    void close_old_lines() {
      std::erase_if(lines, [this](const Line& line) {
        return (line.work != work || worker.stopping() || is_retired()) && line.line.is_done();
      });
    }

    void wait_for_events(bool may_take) {
      std::vector<pollfd> waiting{{bell.descriptor(), POLLIN, 0}};
      for (const Line& line : lines) waiting.push_back({line.line.connection().descriptor(), POLLIN, 0});
      const milliseconds wait = may_take ? std::min(longest_wait, worker.options.patience) : wait_for_room;
      ::poll(waiting.data(), waiting.size(), static_cast<int>(wait.count()));
      bell.silence();
    }

    void receive(std::list<Line>::iterator line) {
      guarded(line, [this](Line& from) {
        // The server may have called while we were told to stop.
        if (worker.stopping()) from.line.connection().stop_asking();
        if (std::unique_ptr<GearmanConnection::Taken> taken = from.line.connection().take())
          accept(from, std::move(taken));
      });
    }

    void accept(Line& line, std::shared_ptr<GearmanConnection::Taken> taken) {
      const Delivery& delivery = taken->delivery;
      Answer answer{.line = line.id,
                    .job = taken->job,
                    .exclusive = !line.work->concurrent(delivery.function),
                    .handle = delivery.handle,
                    .unique = delivery.unique,
                    .function = delivery.function};
      line.line.taken(answer.function, answer.exclusive);
      worker.taken(*this, answer);
      worker.slots.run([this, taken, answer, work = line.work]() mutable {
        answer.outcome = work->handler(taken->delivery);
        worker.answered(*this, std::move(answer));
      });
    }

    void send(Answer& answer) {
      const auto line =
          std::find_if(lines.begin(), lines.end(), [&](const Line& l) { return l.id == answer.line; });
      bool sent = false;
      if (line != lines.end()) {
        line->line.released(answer.function, answer.exclusive);
        guarded(line, [&](Line& back) {
          switch (answer.outcome.kind) {
            case Outcome::Kind::reply:
              back.line.complete(*answer.job, answer.outcome.reply, answer.handle, answer.unique);
              break;
            case Outcome::Kind::fail:
              back.line.connection().fail(*answer.job);
              break;
            case Outcome::Kind::leave:
              break;
          }
          sent = true;
        });
      }
      if (sent || answer.outcome.kind == Outcome::Kind::leave) return;
      tell_delivered({{answer.handle, answer.unique, false}});
    }

    void tell_delivered(const std::vector<GearmanLine::Delivered>& results) {
      for (const GearmanLine::Delivered& result : results) {
        worker.options.delivered(result.handle, result.unique, result.has_arrived);
        if (result.has_arrived) continue;
        logs::gearman()->warn(
            "{}: its reply has not arrived at job server {}, or nobody knows whether it has; when the batch "
            "comes "
            "again, it is answered from the record",
            result.handle, name);
      }
    }

    // Does something with a line. A line that is lost is given up; the next turn makes a new one.
    template <typename Action>
    void guarded(std::list<Line>::iterator line, Action action) {
      try {
        action(*line);
      } catch (const ConnectionLost& error) {
        logs::gearman()->warn("job server {}", error.what());
        tell_delivered(line->line.give_up());
        lines.erase(line);
        line_lost = true;
        connected = false;
        if (!worker.stopping()) pause(back_off.next());
      }
    }

    // Waits, but not longer than until the worker is stopped.
    void pause(milliseconds time) {
      const auto end = Clock::now() + time;
      while (!worker.stopping() && !is_retired()) {
        last_turn = Clock::now().time_since_epoch();
        const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now());
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

    bool is_retired() const {
      const std::lock_guard lock(worker.mutex);
      return retired;
    }

    // Nothing is in hand or on its way, and nothing can arrive any more.
    bool done() const {
      const bool open = std::any_of(lines.begin(), lines.end(), [](const Line& line) {
        return line.line.connection().question_open() || line.line.has_unconfirmed();
      });
      const std::lock_guard lock(worker.mutex);
      return (worker.stopped || retired) && in_hand == 0 && (!open || worker.hurried);
    }

    Impl& worker;
    const JobServer address;
    const std::string name;
    Bell bell;
    std::deque<Answer> answers;  // guarded by worker.mutex
    std::size_t in_hand = 0;     // jobs that were taken and whose answer was not; guarded by worker.mutex
    bool retired = false;        // it is not in the list of servers any more; guarded by worker.mutex
    std::atomic<bool> connected = false;
    std::atomic<Clock::duration> last_turn = Clock::now().time_since_epoch();
    std::thread thread;

    // Of the thread only.
    std::shared_ptr<const Work> work;
    std::list<Line> lines;
    std::uint64_t last_line = 0;
    BackOff back_off;
    bool line_lost = false;  // since the last turn began: what it did is to be done again
  };

  // ---- what the threads share ----

  struct InHand {
    std::string function;
    Clock::time_point since;
  };

  void taken(Server& server, const Answer& answer) {
    const std::lock_guard lock(mutex);
    ++server.in_hand;
    ++working;
    in_hand.insert_or_assign({server.name, answer.handle}, InHand{answer.function, Clock::now()});
    if (answer.exclusive) ++exclusive[answer.function];
  }

  void answered(Server& server, Answer answer) {
    const std::lock_guard lock(mutex);
    --working;
    in_hand.erase({server.name, answer.handle});
    if (answer.exclusive && --exclusive[answer.function] == 0) exclusive.erase(answer.function);
    server.answers.push_back(std::move(answer));
    // The other servers may have a slot and a function to offer again.
    for (const Server& each : servers) each.bell.ring();
  }

  std::set<std::string> exclusive_functions() const {
    const std::lock_guard lock(mutex);
    std::set<std::string> functions;
    for (const auto& [function, count] : exclusive) functions.insert(function);
    return functions;
  }

  // Whether one more job can be worked on: there is a slot for it, and a thread.
  bool slot_free() {
    const std::lock_guard lock(mutex);
    return working - waiting < work->slots && slots.reserve(working + 1);
  }

  void waits(bool begins) {
    const std::lock_guard lock(mutex);
    begins ? ++waiting : --waiting;
    for (const Server& each : servers) each.bell.ring();
  }

  bool stopping() const {
    const std::lock_guard lock(mutex);
    return stopped;
  }

  std::shared_ptr<const Work> current_work() const {
    const std::lock_guard lock(mutex);
    return work;
  }

  void change(Work given) {
    const std::lock_guard lock(mutex);
    work = std::make_shared<const Work>(std::move(given));
    for (Server& server : servers) {
      server.retired = server.retired || std::ranges::none_of(work->servers, [&](const JobServer& wanted) {
                         return wanted.name() == server.name;
                       });
    }
    for (const JobServer& wanted : work->servers) {
      const bool served = std::ranges::any_of(
          servers, [&](const Server& server) { return !server.retired && server.name == wanted.name(); });
      if (served || stopped) continue;
      Server& server = servers.emplace_back(*this, wanted);
      server.thread = std::thread([&server] { server.run(); });
    }
    for (const Server& server : servers) server.bell.ring();
  }

  void stop() {
    const std::lock_guard lock(mutex);
    stopped = true;
    for (const Server& server : servers) server.bell.ring();
  }

  void hurry() {
    const std::lock_guard lock(mutex);
    hurried = true;
    for (const Server& server : servers) server.bell.ring();
  }

  void wait() {
    for (Server& server : servers) {
      if (server.thread.joinable()) server.thread.join();
    }
  }

  std::chrono::seconds oldest_turn() const {
    const std::lock_guard lock(mutex);
    Clock::duration oldest{0};
    for (const Server& server : servers) {
      if (!server.retired)
        oldest = std::max(oldest, Clock::now().time_since_epoch() - server.last_turn.load());
    }
    return std::chrono::duration_cast<std::chrono::seconds>(oldest);
  }

  // What others know of batches goes to those that are in hand, by their handles.
  void describe(WorkerStatus& status) const {
    const std::lock_guard lock(mutex);
    status.stopping = stopped;
    status.slots = work->slots;
    status.functions = work->functions;
    for (const Server& server : servers) {
      if (server.retired && server.in_hand == 0) continue;
      status.servers.push_back(
          {.name = server.name, .connected = server.connected, .in_hand = server.in_hand});
    }
    std::vector<BatchStatus> all;
    for (const auto& [place, job] : in_hand) {
      const auto known = std::ranges::find(status.batches, place.second, &BatchStatus::handle);
      BatchStatus& batch =
          all.emplace_back(known == status.batches.end() ? BatchStatus() : std::move(*known));
      batch.server = place.first;
      batch.handle = place.second;
      batch.function = job.function;
      batch.age = Clock::now() - job.since;
    }
    status.batches = std::move(all);
  }

  std::vector<std::string> describe() const {
    const std::lock_guard lock(mutex);
    const auto age = [](Clock::duration since) {
      return std::chrono::duration<double>(Clock::now().time_since_epoch() - since).count();
    };
    std::vector<std::string> lines;
    for (const Server& server : servers) {
      lines.push_back(
          fmt::format("job server {}: {}{}, {} batches in hand; its thread came round {:.1f} s ago",
                      server.name, server.connected ? "connected" : "not connected",
                      server.retired ? ", being left" : "", server.in_hand, age(server.last_turn.load())));
    }
    for (const auto& [place, job] : in_hand) {
      lines.push_back(fmt::format("{} {}: in hand for {:.1f} s, from {}", place.second, job.function,
                                  age(job.since.time_since_epoch()), place.first));
    }
    return lines;
  }

  const Options options;
  mutable std::mutex mutex;  // of everything below
  std::shared_ptr<const Work> work;
  bool stopped = false;
  bool hurried = false;
  std::size_t working = 0;                                        // jobs that a handler works on
  std::size_t waiting = 0;                                        // of these, those that wait for others
  std::map<std::pair<std::string, std::string>, InHand> in_hand;  // the same, by server and handle
  std::map<std::string, std::size_t> exclusive;  // functions that must not run twice → jobs in hand
  std::list<Server> servers;
  SlotThreads slots;
};

GearmanWorker::GearmanWorker(Options options, Work work)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(work))) {}

GearmanWorker::~GearmanWorker() = default;

void GearmanWorker::change(Work work) { impl_->change(std::move(work)); }
void GearmanWorker::waits(bool begins) { impl_->waits(begins); }
void GearmanWorker::stop() { impl_->stop(); }
void GearmanWorker::hurry() { impl_->hurry(); }
void GearmanWorker::wait() { impl_->wait(); }
std::chrono::seconds GearmanWorker::oldest_turn() const { return impl_->oldest_turn(); }
void GearmanWorker::describe(WorkerStatus& status) const { impl_->describe(status); }
std::vector<std::string> GearmanWorker::describe() const { return impl_->describe(); }

}  // namespace quire
