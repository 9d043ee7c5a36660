// One room although it is long: what the parts are, in the order in which they need each other, and what a
// signal means for each of them.
#include "worker/daemon.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <optional>
#include <thread>

#include <spdlog/spdlog.h>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "common/plural.hpp"
#include "worker/batch_handler.hpp"
#include "worker/control_server.hpp"
#include "worker/daemon_control.hpp"
#include "worker/exclusive_runner.hpp"
#include "worker/gauges.hpp"
#include "worker/gearman_worker.hpp"
#include "worker/lasting_settings.hpp"
#include "worker/log.hpp"
#include "worker/log_settings.hpp"
#include "worker/mariadb_record.hpp"
#include "worker/metrics.hpp"
#include "worker/metrics_service.hpp"
#include "worker/no_record.hpp"
#include "worker/owed_results.hpp"
#include "worker/page/page_server.hpp"
#include "worker/paired_record.hpp"
#include "worker/service_manager.hpp"
#include "worker/site.hpp"
#include "worker/sqlite_record.hpp"
#include "worker/stray_processes.hpp"
#include "worker/subprocess_pool.hpp"
#include "worker/timed_record.hpp"
#include "worker/workers_key.hpp"

namespace quire {

namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

// A thread of a job server may be held up by a server that is slow, and the record's by who holds its file;
// one that has not come round for so long is stuck.
constexpr auto longest_turn = std::chrono::seconds(120);

// The main loop never waits for anybody.
constexpr auto longest_beat = std::chrono::seconds(10);

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "localhost";
}

// Null where the settings want no record.
std::unique_ptr<SqliteRecord> open_record(const Settings& settings, const std::string& client) try {
  if (!settings.keeps_record()) return nullptr;
  return std::make_unique<SqliteRecord>(
      SqliteRecord::Options{.path = settings.record,
                            .client = client,
                            .capture_output = settings.capture_client_script_output,
                            .max_attempts = settings.max_attempts},
      logs::record());
} catch (const std::runtime_error& error) {
  throw ConfigurationError(error.what());
}

// Null where the settings name no database of a controller.
std::unique_ptr<MariadbRecord> open_database(const Settings& settings, const std::string& client) try {
  const std::optional<MariadbAddress> address = mariadb_address(settings);
  if (!address) return nullptr;
  return std::make_unique<MariadbRecord>(
      MariadbRecord::Options{.address = *address,
                             .client = client,
                             .capture_output = settings.capture_client_script_output,
                             .has_refuge = settings.keeps_record()},
      logs::record());
} catch (const std::runtime_error& error) {
  throw ConfigurationError(error.what());
}

void tell_outside_text(const std::string& handle, const std::string& function, std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  logs::batch()->info("{} {}: printed outside of any job: {}", handle, function, text);
}

class Daemon {
 public:
  Daemon(const Settings& settings, std::function<Settings()> read_settings)
      : client_(host_name() + ":" + std::to_string(::getpid())),
        read_settings_(std::move(read_settings)),
        site_(load_site(settings)),
        metrics_(settings.metrics_prefix),
        record_(open_record(settings, client_)),
        database_(open_database(settings, client_)),
        timed_record_(record(), metrics_),
        pool_(loop_, settings, tell_outside_text),
        strays_(loop_, [this] { return pool_.host_pids(); }),
        handler_(runner(settings), timed_record_, &metrics_),
        gearman_(gearman_options(), work_for(site_)) {
    if (record_) pool_.let_hosts_hold(record_->presence_descriptor());
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) signals_.add(number);
    pool_.count_with(metrics_);
    listen_to_control();
    serve_metrics();
    serve_page();
  }

  // The main thread turns the loop: children are killed when the thread that started them ends.
  void run() {
    const Settings& settings = site_->settings;
    logs::worker()->info("quire worker {} (pid {}): {}, {} in hand at most, {} at most, record {}{}", client_,
                         ::getpid(), counted(site_->modules.functions().size(), "function"),
                         counted(settings.workers, "batch", "batches"),
                         counted(settings.max_processes, "process", "processes"), settings.record,
                         database_ ? ", " + database_->name() : "");
    listen_to_signals();
    feed_watchdog_later();
    loop_.run();
    if (ending_.joinable()) ending_.join();
    logs::worker()->info("quire worker {}: ended", client_);
  }

 private:
  // A worker that cannot be asked works all the same.
  void listen_to_control() try {
    control_server_.emplace(loop_, site_->settings.state_directory,
                            [this](std::string_view line) { return answer_request(control_, line); });
  } catch (const std::runtime_error& error) {
    logs::worker()->warn("{} `quire status` and `quire tasks cancel` cannot reach this worker.",
                         error.what());
  }

  // Both have threads of their own, and ask this one.
  void serve_metrics() {
    const Settings& settings = site_->settings;
    if (settings.metrics_address.empty()) return;
    metrics_service_.emplace(settings.metrics_address, metrics_,
                             MetricsService::Sources{.gauges = [this] { return gauges(); },
                                                     .health = [this] { return health(); }});
    beat_later();
  }

  std::vector<Metrics::Gauge> gauges() try {
    return gauges_of(control_.snapshot(), record_state());
  } catch (const ControlUnavailable&) {
    return {};  // better nothing than what is not so
  }

  Health health() {
    Health health;
    const auto beat = Clock::now().time_since_epoch() - last_beat_.load();
    if (beat > longest_beat) {
      health.stuck = "The main loop has not come round for " +
                     std::to_string(std::chrono::duration_cast<std::chrono::seconds>(beat).count()) + " s.";
    } else if (std::max(gearman_.oldest_turn(), record_busy_for()) >= longest_turn) {
      health.stuck = "A thread has not come round for " + std::to_string(longest_turn.count()) + " s.";
    }
    const RecordState record = record_state();
    health.record = !record_ ? "none (record = none)" : record.healthy ? "healthy" : record.problem;
    try {
      const WorkerStatus status = control_.snapshot();
      const bool connected = std::ranges::any_of(status.servers, &JobServerStatus::connected);
      if (!connected) health.not_ready = "The worker is connected to no job server.";
      if (stopping_) health.not_ready = "The worker is being stopped.";
    } catch (const ControlUnavailable& error) {
      health.not_ready = error.what();
    }
    return health;
  }

  void beat_later() {
    last_beat_ = Clock::now().time_since_epoch();
    beat_timer_.expires_after(std::chrono::seconds(1));
    beat_timer_.async_wait([this](boost::system::error_code error) {
      if (!error) beat_later();
    });
  }

  void serve_page() {
    const Settings& settings = site_->settings;
    if (settings.page_address.empty()) return;
    page_.emplace(page::PageServer::Options{
        .address = settings.page_address,
        .hosts = list_items(lower_case(settings.page_hosts), ' '),
        .token_file = settings.page_token,
        .record = settings.record,
        .state_directory = settings.state_directory,
        .job_servers = [servers = parse_job_servers(settings.gearman_servers)] { return servers; },
        .prefix = function_prefix(settings)});
  }

  DaemonControl::Parts control_parts() {
    return {.client = client_,
            .settings = [this]() -> const Settings& { return site_->settings; },
            .record = [this] { return record_state(); },
            .owed = [this] { return owed_results_ ? owed_results_->state() : Owed{}; },
            .pool = [this](WorkerStatus& status) { pool_.describe(status); },
            .gearman = [this](WorkerStatus& status) { gearman_.describe(status); },
            .written = [this](const std::string& id) { return pool_.written(id); },
            .cancel = [this](const std::vector<std::string>& ids,
                             bool with_subset) { return pool_.cancel(ids, with_subset); }};
  }

  // Where what happens to tasks is written.
  TaskRecord& record() {
    if (!database_) return own_record();
    if (!record_) return both_records_.emplace(no_record_, *database_);
    owed_results_.emplace(*record_, *database_, logs::record());
    return both_records_.emplace(*record_, *database_, *owed_results_);
  }

  TaskRecord& own_record() {
    if (record_) return *record_;
    return no_record_;
  }

  // A record that is not kept is always well, and never busy.
  RecordState record_state() const { return record_ ? record_->state() : RecordState{}; }
  std::chrono::seconds record_busy_for() const {
    return record_ ? record_->busy_for() : std::chrono::seconds(0);
  }

  // What runs tasks.
  SubsetRunner& runner(const Settings& settings) {
    if (!settings.exclusive_across_hosts) return pool_;
    const std::optional<MariadbAddress> address = mariadb_address(settings);
    if (!address) {
      throw ConfigurationError(
          "exclusive_across_hosts: the lock is one in the controller's database, and no setting names that; "
          "set "
          "mariadb_settings or mariadb_database.");
    }
    return exclusive_.emplace(
        pool_,
        ExclusiveRunner::Options{
            .address = *address,
            .is_concurrent =
                [this](const Module& module, const std::string& function) {
                  return pool_.runs_concurrently(module, function);
                },
            .waits = [this](bool begins) { asio::post(loop_, [this, begins] { gearman_.waits(begins); }); }});
  }

  GearmanWorker::Options gearman_options() {
    GearmanWorker::Options options;
    options.identifier = "quire@" + client_;
    options.patience = std::chrono::seconds(site_->settings.job_server_timeout);
    options.may_take = [this] { return !pool_.is_short_of_resources(); };
    options.registered = [this] { asio::post(loop_, [this] { service_manager::ready("takes batches"); }); };
    options.delivered = [this](const std::string& handle, const std::string& unique, bool has_arrived) {
      own_record().delivered(handle, unique, has_arrived);
      metrics_.reply_delivered(has_arrived);
    };
    return options;
  }

  // A batch is run with the site that was there when its connection was made.
  GearmanWorker::Work work_for(const std::shared_ptr<const Site>& site) {
    metrics_.know_functions(site->modules.functions());
    GearmanWorker::Work work;
    work.servers = parse_job_servers(site->settings.gearman_servers);
    work.functions = site->modules.functions();
    work.prefix = function_prefix(site->settings);
    work.slots = site->settings.workers;
    work.handler = [this, site](const Delivery& delivery) { return handle(delivery, *site); };
    work.concurrent = [this, site](const std::string& function) {
      try {
        return pool_.runs_concurrently(site->modules.find(function), function);
      } catch (const NoSuchModule&) {
        return true;  // its tasks fail at once, side by side
      }
    };
    return work;
  }

  GearmanWorker::Outcome handle(const Delivery& delivery, const Site& site) {
    using Kind = GearmanWorker::Outcome::Kind;
    BatchHandler::Answer answer = handler_.handle(delivery, site);
    switch (answer.kind) {
      case BatchHandler::Answer::Kind::reply:
        return {Kind::reply, std::move(answer.reply)};
      case BatchHandler::Answer::Kind::interrupted:
        return {Kind::leave, {}};
      case BatchHandler::Answer::Kind::unreadable:
        break;
    }
    return {Kind::fail, {}};
  }

  // ---- signals ----

  void listen_to_signals() {
    signals_.async_wait([this](boost::system::error_code error, int number) {
      if (error) return;
      if (number == SIGHUP) {
        reload();
      } else if (number == SIGQUIT) {
        describe();
      } else {
        stop(number);
      }
      listen_to_signals();
    });
  }

  void stop(int number) {
    switch (++stops_) {
      case 1: {
        const std::size_t limit = site_->settings.shutdown_timeout;
        stopping_ = true;
        gearman_.stop();
        logs::worker()->info(
            "signal {}: taking no more batches, finishing those in hand within {} s; a second signal leaves "
            "them",
            number, limit);
        service_manager::stopping();
        shutdown_timer_.expires_after(std::chrono::seconds(limit));
        shutdown_timer_.async_wait([this, limit](boost::system::error_code error) {
          if (!error && stops_ == 1) interrupt("after " + std::to_string(limit) + " s (shutdown_timeout)");
        });
        // Jobs in hand need the loop to end, so somebody else waits for them.
        ending_ = std::thread([this] {
          gearman_.wait();
          // While the loop still turns: their threads may be asking it something.
          page_.reset();
          metrics_service_.reset();
          asio::post(loop_, [this] { end(); });
        });
        break;
      }
      case 2:
        interrupt("signal " + std::to_string(number));
        break;
      default:
        // Hosts end with the worker and subsets with their hosts; a job that was not answered is the server's
        // again.
        logs::worker()->warn(
            "signal {}: ending at once; the job server will deliver the batches in hand again", number);
        std::_Exit(EXIT_SUCCESS);
    }
  }

  void interrupt(const std::string& why) {
    logs::worker()->warn("{}: ending the processes that run; {}", why,
                         site_->settings.fail_interrupted
                             ? "their batches are answered as failed (fail_interrupted)"
                             : "the job server will deliver their batches again");
    pool_.interrupt();
    handler_.interrupt();
    if (exclusive_) exclusive_->interrupt();
    gearman_.hurry();
  }

  void end() {
    work_guard_.reset();
    loop_.stop();
  }

  void reload() try {
    const Settings fresh = with_what_stays(read_settings_(), site_->settings);
    const std::shared_ptr<const Site> site = load_site(fresh);
    GearmanWorker::Work work = work_for(site);
    logs::set_up(log_options(fresh));
    site_ = site;
    pool_.configure(fresh);
    gearman_.change(std::move(work));
    logs::worker()->info(
        "HUP: new settings and module table, {}; batches in hand are finished with the old ones",
        counted(site_->modules.functions().size(), "function"));
  } catch (const std::exception& error) {
    logs::worker()->error("HUP: the settings stay as they were: {}", error.what());
  }

  void describe() const {
    logs::worker()->info("QUIT: what the worker is doing:");
    const auto tell = [](const std::vector<std::string>& lines) {
      for (const std::string& line : lines) logs::worker()->info("  {}", line);
    };
    tell(gearman_.describe());
    tell(pool_.describe());
    logs::worker()->info("  {}", record_ ? record_->describe() : "record none: nothing is kept");
    if (database_) logs::worker()->info("  {}", database_->describe());
    logs::worker()->info("  main loop: telling this");
  }

  // ---- the service manager's watchdog ----

  void feed_watchdog_later() {
    const auto interval = service_manager::watchdog_interval();
    if (!interval) return;
    watchdog_timer_.expires_after(*interval / 3);
    watchdog_timer_.async_wait([this](boost::system::error_code error) {
      if (error) return;
      std::chrono::seconds turn = std::max(gearman_.oldest_turn(), record_busy_for());
      if (database_) turn = std::max(turn, database_->busy_for());
      if (turn < longest_turn) {
        service_manager::feed_watchdog();
      } else {
        logs::worker()->critical("a thread has not come round for {} s; the watchdog is not fed any more",
                                 turn.count());
        describe();
      }
      feed_watchdog_later();
    });
  }

  asio::io_context loop_;
  asio::executor_work_guard<asio::io_context::executor_type> work_guard_ = asio::make_work_guard(loop_);
  asio::signal_set signals_{loop_};
  asio::steady_timer shutdown_timer_{loop_};
  asio::steady_timer watchdog_timer_{loop_};
  int stops_ = 0;
  std::thread ending_;

  const std::string client_;
  const std::function<Settings()> read_settings_;
  std::shared_ptr<const Site> site_;
  Metrics metrics_;
  const std::unique_ptr<SqliteRecord> record_;  // null: none is kept
  NoRecord no_record_;
  const std::unique_ptr<MariadbRecord> database_;
  std::optional<OwedResults> owed_results_;
  std::optional<PairedRecord> both_records_;
  TimedRecord timed_record_;
  SubprocessPool pool_;
  std::optional<ExclusiveRunner> exclusive_;
  StrayProcesses strays_;
  BatchHandler handler_;
  DaemonControl control_{loop_, control_parts()};
  std::optional<ControlServer> control_server_;
  GearmanWorker gearman_;  // its threads use all of the above
  asio::steady_timer beat_timer_{loop_};
  std::atomic<Clock::duration> last_beat_ = Clock::now().time_since_epoch();
  std::atomic<bool> stopping_ = false;
  std::optional<MetricsService> metrics_service_;  // last: so do those of these two, gearman_ included
  std::optional<page::PageServer> page_;
};

}  // namespace

void serve(const Settings& settings, const std::function<Settings()>& read_settings) {
  // A write beyond RLIMIT_FSIZE is an error like any other; children get the signal back.
  std::signal(SIGXFSZ, SIG_IGN);
  Daemon(settings, read_settings).run();
}

}  // namespace quire
