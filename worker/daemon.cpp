#include "worker/daemon.hpp"

#include <unistd.h>

#include <algorithm>
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

#include "worker/batch_handler.hpp"
#include "worker/exclusive_runner.hpp"
#include "worker/gearman_worker.hpp"
#include "worker/mariadb_record.hpp"
#include "worker/paired_record.hpp"
#include "worker/service_manager.hpp"
#include "worker/site.hpp"
#include "worker/sqlite_record.hpp"
#include "worker/stray_processes.hpp"
#include "worker/subprocess_pool.hpp"

namespace quire {

namespace {

namespace asio = boost::asio;

// A thread of a job server may be held up by a server that is slow, and the record's by who holds its file; one
// that has not come round for so long is stuck.
constexpr auto longest_turn = std::chrono::seconds(120);

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "localhost";
}

std::unique_ptr<SqliteRecord> open_record(const Settings& settings, const std::string& client) try {
  return std::make_unique<SqliteRecord>(
      SqliteRecord::Options{.path = settings.record,
                            .client = client,
                            .capture_output = settings.capture_client_script_output,
                            .max_attempts = settings.max_attempts},
      spdlog::default_logger());
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
                             .capture_output = settings.capture_client_script_output},
      spdlog::default_logger());
} catch (const std::runtime_error& error) {
  throw ConfigurationError(error.what());
}

void tell_outside_text(const std::string& handle, const std::string& function, std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  spdlog::info("{} {}: printed outside of any job: {}", handle, function, text);
}

// Settings that hold until the worker is started anew: those that differ keep their old value, and say so.
Settings with_what_stays(Settings fresh, const Settings& old) {
  const auto keep = [&](auto Settings::*member, const char* name) {
    if (fresh.*member == old.*member) return;
    spdlog::warn("{}: the new value {} holds when the worker is started anew; until then it is {}.", name,
                 fresh.*member, old.*member);
    fresh.*member = old.*member;
  };
  keep(&Settings::record, "record");
  keep(&Settings::mariadb_settings, "mariadb_settings");
  keep(&Settings::mariadb_database, "mariadb_database");
  keep(&Settings::mariadb_host, "mariadb_host");
  keep(&Settings::mariadb_port, "mariadb_port");
  keep(&Settings::mariadb_socket, "mariadb_socket");
  keep(&Settings::mariadb_user, "mariadb_user");
  keep(&Settings::mariadb_password_file, "mariadb_password_file");
  keep(&Settings::exclusive_across_hosts, "exclusive_across_hosts");
  keep(&Settings::state_directory, "state_directory");
  keep(&Settings::user, "user");
  keep(&Settings::group, "group");
  keep(&Settings::capture_client_script_output, "capture_client_script_output");
  keep(&Settings::max_attempts, "max_attempts");
  keep(&Settings::job_server_timeout, "job_server_timeout");
  return fresh;
}

class Daemon {
 public:
  Daemon(const Settings& settings, std::function<Settings()> read_settings)
      : client_(host_name() + ":" + std::to_string(::getpid())),
        read_settings_(std::move(read_settings)),
        site_(load_site(settings)),
        record_(open_record(settings, client_)),
        database_(open_database(settings, client_)),
        pool_(loop_, settings, tell_outside_text),
        strays_(loop_, [this] { return pool_.host_pids(); }),
        handler_(runner(settings), record()),
        gearman_(gearman_options(), work_for(site_)) {
    pool_.let_hosts_hold(record_->presence_descriptor());
    for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) signals_.add(number);
  }

  // The main thread turns the loop: children are killed when the thread that started them ends.
  void run() {
    const Settings& settings = site_->settings;
    spdlog::info("quire worker {} (pid {}): {} functions, {} batches in hand, {} processes, record {}",
                 client_, ::getpid(), site_->modules.functions().size(), settings.workers,
                 settings.max_processes, settings.record);
    listen_to_signals();
    feed_watchdog_later();
    loop_.run();
    if (ending_.joinable()) ending_.join();
    spdlog::info("quire worker {}: ended", client_);
  }

 private:
  // Where what happens to tasks is written.
  TaskRecord& record() {
    if (!database_) return *record_;
    return both_records_.emplace(*record_, *database_);
  }

  // What runs tasks.
  SubsetRunner& runner(const Settings& settings) {
    if (!settings.exclusive_across_hosts) return pool_;
    const std::optional<MariadbAddress> address = mariadb_address(settings);
    if (!address) {
      throw ConfigurationError(
          "exclusive_across_hosts: the lock is one in the controller's database, and no setting names that; set "
          "mariadb_settings or mariadb_database.");
    }
    return exclusive_.emplace(
        pool_, ExclusiveRunner::Options{
                   .address = *address,
                   .is_concurrent = [this](const Module& module, const std::string& function) {
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
      record_->delivered(handle, unique, has_arrived);
    };
    return options;
  }

  // A batch is run with the site that was there when its connection was made.
  GearmanWorker::Work work_for(const std::shared_ptr<const Site>& site) {
    GearmanWorker::Work work;
    work.servers = parse_job_servers(site->settings.gearman_servers);
    work.functions = site->modules.functions();
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
        gearman_.stop();
        spdlog::info(
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
        spdlog::warn("signal {}: ending at once; the job server will deliver the batches in hand again",
                     number);
        std::_Exit(EXIT_SUCCESS);
    }
  }

  void interrupt(const std::string& why) {
    spdlog::warn("{}: ending the processes that run; {}", why,
                 site_->settings.fail_interrupted ? "their batches are answered as failed (fail_interrupted)"
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
    site_ = site;
    spdlog::set_level(spdlog::level::from_str(fresh.log_level));
    pool_.configure(fresh);
    gearman_.change(std::move(work));
    spdlog::info(
        "HUP: new settings and module table, {} functions; batches in hand are finished with the old ones",
        site_->modules.functions().size());
  } catch (const std::exception& error) {
    spdlog::error("HUP: the settings stay as they were: {}", error.what());
  }

  void describe() const {
    spdlog::info("QUIT: what the worker is doing:");
    const auto tell = [](const std::vector<std::string>& lines) {
      for (const std::string& line : lines) spdlog::info("  {}", line);
    };
    tell(gearman_.describe());
    tell(pool_.describe());
    spdlog::info("  {}", record_->describe());
    if (database_) spdlog::info("  {}", database_->describe());
    spdlog::info("  main loop: telling this");
  }

  // ---- the service manager's watchdog ----

  void feed_watchdog_later() {
    const auto interval = service_manager::watchdog_interval();
    if (!interval) return;
    watchdog_timer_.expires_after(*interval / 3);
    watchdog_timer_.async_wait([this](boost::system::error_code error) {
      if (error) return;
      std::chrono::seconds turn = std::max(gearman_.oldest_turn(), record_->busy_for());
      if (database_) turn = std::max(turn, database_->busy_for());
      if (turn < longest_turn) {
        service_manager::feed_watchdog();
      } else {
        spdlog::critical("a thread has not come round for {} s; the watchdog is not fed any more",
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
  const std::unique_ptr<SqliteRecord> record_;
  const std::unique_ptr<MariadbRecord> database_;
  std::optional<PairedRecord> both_records_;
  SubprocessPool pool_;
  std::optional<ExclusiveRunner> exclusive_;
  StrayProcesses strays_;
  BatchHandler handler_;
  GearmanWorker gearman_;  // last: its threads use all of the above
};

}  // namespace

void serve(const Settings& settings, const std::function<Settings()>& read_settings) {
  // A write beyond RLIMIT_FSIZE is an error like any other; children get the signal back.
  std::signal(SIGXFSZ, SIG_IGN);
  Daemon(settings, read_settings).run();
}

}  // namespace quire
