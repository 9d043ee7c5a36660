// quire worker: the daemon.
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <thread>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>

#include "worker/batch_handler.hpp"
#include "worker/commands/command.hpp"
#include "worker/commands/command_options.hpp"
#include "worker/gearman_worker.hpp"
#include "worker/module_registry.hpp"
#include "worker/sqlite_record.hpp"
#include "worker/subprocess_pool.hpp"

namespace quire {

namespace {

namespace asio = boost::asio;

void set_up_log(const Settings& settings) {
  auto log = spdlog::stderr_logger_mt("quire");
  log->set_pattern("%Y-%m-%d %H:%M:%S.%e %l %v");
  log->set_level(spdlog::level::from_str(settings.log_level));
  log->flush_on(spdlog::level::info);
  spdlog::set_default_logger(log);
}

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "localhost";
}

// Tells at the start which functions cannot run, rather than when their first task fails.
void report_missing(const ModuleRegistry& modules) {
  for (const std::string& function : modules.functions()) {
    try {
      modules.find(function);
    } catch (const NoSuchModule& error) {
      spdlog::warn("{}: {} Its tasks will fail with this sentence.", function, error.what());
    }
  }
}

std::unique_ptr<SqliteRecord> open_record(const Settings& settings, const std::string& client) try {
  return std::make_unique<SqliteRecord>(
      SqliteRecord::Options{
          .path = settings.record, .client = client, .capture_output = settings.capture_client_script_output},
      spdlog::default_logger());
} catch (const std::runtime_error& error) {
  throw ConfigurationError(error.what());
}

int serve(const Settings& settings) {
  const std::string client = host_name() + ":" + std::to_string(::getpid());
  const ModuleRegistry modules(settings);
  const std::unique_ptr<SqliteRecord> opened = open_record(settings, client);
  SqliteRecord& record = *opened;
  report_missing(modules);

  // The main thread turns the loop: children are killed when the thread that started them ends.
  asio::io_context loop;
  auto work = asio::make_work_guard(loop);
  SubprocessPool pool(loop, settings);
  BatchHandler handler(settings, modules, pool, record);
  const auto runs_concurrently = [&](const std::string& function) {
    try {
      return pool.runs_concurrently(modules.find(function), function);
    } catch (const NoSuchModule&) {
      return true;  // its tasks fail at once, side by side
    }
  };
  GearmanWorker gearman(
      {.servers = parse_job_servers(settings.gearman_servers),
       .identifier = "quire@" + client,
       .functions = modules.functions(),
       .slots = settings.workers},
      [&](const Delivery& delivery) { return handler.handle(delivery); }, runs_concurrently);
  spdlog::info("quire worker {} (pid {}): {} functions, {} batches in hand, {} processes, record {}", client,
               ::getpid(), modules.functions().size(), settings.workers, settings.max_processes,
               settings.record);

  // Jobs in hand need the loop to end, so somebody else waits for them.
  std::thread ending;
  asio::signal_set signals(loop, SIGTERM, SIGINT);
  signals.async_wait([&](boost::system::error_code error, int number) {
    if (error) return;
    spdlog::info("signal {}: taking no more batches, finishing those in hand", number);
    gearman.stop();
    ending = std::thread([&] {
      gearman.wait();
      asio::post(loop, [&] {
        work.reset();
        loop.stop();
      });
    });
  });
  loop.run();
  ending.join();
  spdlog::info("quire worker {}: ended", client);
  return exit_ok;
}

}  // namespace

int run_worker(const std::vector<std::string>& arguments) {
  CommandOptions options(
      {.usage = "quire worker [OPTIONS]",
       .description =
           "Takes batches of tasks from the job servers, runs them with the client scripts of the\n"
           "module table, and answers. Stays in the foreground; TERM or INT ends it when the\n"
           "batches in hand are answered.",
       .example = "quire worker --config /etc/quire/quire.conf\n"
                  "quire worker --gearman-servers 127.0.0.1:4730 --state-directory /tmp/quire"});
  if (!options.parse(arguments, CommandOptions::Words::among_options)) return exit_ok;
  if (!options.words().empty()) {
    throw UsageError("It takes no words besides options: remove \"" + options.words().front() + "\".");
  }
  const Settings settings = options.settings();
  set_up_log(settings);
  // libgearman would silently add the servers of this variable to those of the settings.
  ::unsetenv("GEARMAN_SERVERS");
  return serve(settings);
}

}  // namespace quire
