// quire worker: the daemon.
#include <unistd.h>

#include <algorithm>
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
  if (modules.functions().empty()) {
    throw ConfigurationError("The module table " + settings.client_modules +
                             " has no function: add a line FUNCTION = MODULE.");
  }
  report_missing(modules);
  for (const auto& [function, ignored] : settings.functions) {
    if (std::ranges::find(modules.functions(), function) != modules.functions().end()) continue;
    spdlog::warn("[function:{}]: the module table {} has no such function, so this section changes nothing.", function,
                 settings.client_modules);
  }

  // The main thread turns the loop: children are killed when the thread that started them ends.
  asio::io_context loop;
  auto work = asio::make_work_guard(loop);
  SubprocessPool pool(loop, settings, [](const std::string& handle, const std::string& function, std::string_view text) {
    if (text.ends_with('\n')) text.remove_suffix(1);
    spdlog::info("{} {}: printed outside of any job: {}", handle, function, text);
  });
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
    spdlog::info("signal {}: taking no more batches, finishing those in hand; a second signal leaves them", number);
    gearman.stop();
    // Hosts end with the worker and subsets with their hosts; a job that was not answered is the server's again.
    signals.async_wait([&](boost::system::error_code second_error, int second) {
      if (second_error) return;
      spdlog::warn("signal {}: ending at once; the job server will deliver the batches in hand again", second);
      std::_Exit(exit_ok);
    });
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
           "batches in hand are answered, a second one at once: the job server delivers them again.",
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
