// quire worker: the daemon's command line.
#include <malloc.h>
#include <unistd.h>

#include <cstdlib>

#include <spdlog/spdlog.h>

#include "worker/commands/command.hpp"
#include "worker/commands/command_options.hpp"
#include "worker/daemon.hpp"
#include "worker/log.hpp"
#include "worker/log_settings.hpp"
#include "worker/privileges.hpp"

namespace quire {

namespace {

void set_up_log(const Settings& settings) try {
  logs::set_up(log_options(settings));
} catch (const std::runtime_error& error) {
  throw ConfigurationError(error.what());
}

// What a batch has used is kept for the next one, as far as it is no more than this: to give memory back and
// ask for it again costs more than to run a small batch.
void keep_memory() {
  constexpr int kept = 64 * 1024 * 1024;
  ::mallopt(M_TRIM_THRESHOLD, kept);
  ::mallopt(M_MMAP_THRESHOLD, kept / 16);
}

}  // namespace

int run_worker(const std::vector<std::string>& arguments) {
  CommandOptions options(
      {.usage = "quire worker [OPTIONS]",
       .description =
           "Takes batches of tasks from the job servers, runs them with the client scripts of the\n"
           "module table, and answers. Stays in the foreground. Signals: TERM or INT ends it when\n"
           "the batches in hand are answered (shutdown_timeout); after that time or at a second\n"
           "one the scripts are ended, and the job server delivers their batches again. HUP reads\n"
           "configuration and module table anew. QUIT tells in the log what it is doing.",
       .example = "quire worker --config /etc/quire/quire.conf\n"
                  "quire worker --gearman-servers 127.0.0.1:4730 --state-directory /tmp/quire",
       .settings = {"gearman_servers", "workers_key", "client_modules", "client_scripts", "workers",
                    "max_processes", "user", "log_file", "metrics_address", "page_address"}});
  if (!options.parse(arguments, CommandOptions::Words::among_options)) return exit_ok;
  if (!options.words().empty()) {
    throw UsageError("It takes no words besides options: remove \"" + options.words().front() + "\".");
  }
  // Before the settings are complete: which folders are the default depends on the user.
  drop_privileges(options.stated_settings());
  const Settings settings = options.settings();
  set_up_log(settings);
  if (::geteuid() == 0) {
    logs::worker()->warn(
        "The worker runs as root, and so do all client scripts: name another user (setting user).");
  }
  logs::worker()->info(
      "client scripts are loaded when their first batch comes; {} tells before which of them cannot be",
      options.suggested("scripts check"));
  keep_memory();
  raise_open_files_limit();
  // libgearman would silently add the servers of this variable to those of the settings.
  ::unsetenv("GEARMAN_SERVERS");
  serve(settings, [&options] { return options.settings(); });
  return exit_ok;
}

}  // namespace quire
