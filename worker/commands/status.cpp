// quire status: the workers on this host and the job servers, as they are now.
#include <algorithm>
#include <functional>
#include <iostream>
#include <optional>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "common/plural.hpp"
#include "common/text.hpp"
#include "worker/commands/command.hpp"
#include "worker/commands/command_options.hpp"
#include "worker/commands/result_output.hpp"
#include "worker/commands/tasks.hpp"
#include "worker/control.hpp"
#include "worker/function_prefix.hpp"
#include "worker/gearman_admin.hpp"
#include "worker/settings.hpp"
#include "worker/workers_key.hpp"

namespace quire {
namespace {

namespace json = boost::json;
namespace po = boost::program_options;

constexpr auto question_limit = std::chrono::seconds(3);

// What a job server says, or why it says nothing.
struct ServerView {
  JobServer server;
  std::string version;
  std::vector<FunctionStatus> functions;
  std::string problem;
};

ServerView look_at(const JobServer& server) {
  ServerView view{server, {}, {}, {}};
  try {
    view.version = server_version(server, question_limit);
    view.functions = function_status(server, question_limit);
  } catch (const std::runtime_error& error) {
    view.problem = error.what();
  }
  // Those with the most to do first.
  std::ranges::stable_sort(view.functions, std::greater(), &FunctionStatus::jobs);
  return view;
}

void print(const WorkerStatus& worker, const CommandOptions& options) {
  std::cout << "Worker " << worker.client << ", quire " << worker.version << ", for "
            << duration_text(now() - worker.started) << (worker.stopping ? ", stopping" : "") << ": "
            << worker.batches.size() << " of " << worker.slots << " batches in hand, "
            << worker.subsets.size() << " of " << worker.max_processes << " processes\n";
  const auto setting = worker.settings.find("record");
  if (setting != worker.settings.end()) {
    std::cout << "  record      " << setting->second;
    if (setting->second == no_record) std::cout << ": nothing is kept, a task delivered again is run again";
  }
  std::cout << (worker.record_healthy ? "" : ": CANNOT BE WRITTEN: " + worker.record_problem);
  if (worker.record_waiting > 0)
    std::cout << "; " << counted(worker.record_waiting, "entry", "entries") << " kept until it can be";
  std::cout << '\n';
  if (!worker.owed.empty()) std::cout << "  database    " << worker.owed << '\n';
  if (worker.short_of_resources) {
    std::cout << "  SHORT OF RESOURCES: no process can be started; " << options.suggested("doctor")
              << " looks at the limits\n";
  }
  for (const JobServerStatus& server : worker.servers) {
    std::cout << "  job server  " << server.name << (server.connected ? ", connected, " : ", NOT CONNECTED, ")
              << counted(server.in_hand, "batch", "batches") << " in hand\n";
  }
  for (const BatchStatus& batch : worker.batches) {
    std::cout << "  batch       " << one_line(batch.function, 40) << "  " << batch.handle << "  ";
    if (batch.tasks == 0) {
      std::cout << "being read, or waiting for the record or another batch";
    } else {
      std::cout << batch.ended << " of " << counted(batch.tasks, "task") << " ended, "
                << batch.begun - batch.ended << " running"
                << (batch.waits_for_host ? ", its script is being loaded" : "");
    }
    std::cout << ", for " << duration_text(batch.age) << '\n';
    for (const SubsetStatus& subset : worker.subsets) {
      if (subset.handle != batch.handle) continue;
      std::cout << "    process   " << subset.pid << "  " << subset.running.size() << " running, "
                << subset.ended.size() << " ended, " << subset.waiting.size() << " waiting, for "
                << duration_text(subset.age);
      if (!subset.running.empty()) {
        std::cout << "  " << one_line(to_utf8(subset.running.front()), 36)
                  << (subset.running.size() > 1 ? " …" : "");
      }
      std::cout << '\n';
    }
  }
  for (const HostStatus& host : worker.hosts) {
    std::cout << "  host        " << one_line(host.module, 40) << "  " << host.pid << "  " << host.state
              << ", " << host.running << " running, " << host.served << " served\n";
  }
}

// As this site calls it; what is another site's has the name that the job server has for it.
std::string name_here(const FunctionStatus& function, const FunctionPrefix& prefix) {
  if (prefix.text().empty()) return function.name;
  return prefix.function_of(function.name).value_or(function.name + " (another site's)");
}

void print(const ServerView& view, const FunctionPrefix& prefix, const CommandOptions& options, bool all) {
  std::cout << "Job server " << view.server.name();
  if (!view.problem.empty()) {
    std::cout << ": " << view.problem << " " << options.suggested("doctor") << " looks into it.\n";
    return;
  }
  std::cout << ", gearmand " << view.version << '\n';
  if (view.functions.empty()) {
    std::cout << "  It knows no function: no worker is connected. Start one with "
              << options.suggested("worker") << ".\n";
    return;
  }
  const auto is_told = [all](const FunctionStatus& function) {
    return all || function.jobs > 0 || function.workers == 0;
  };
  if (std::ranges::any_of(view.functions, is_told))
    std::cout << "  " << padded("FUNCTION", 40) << "  WAITING  RUNNING  CONNECTIONS\n";
  std::size_t idle = 0;
  for (const FunctionStatus& function : view.functions) {
    if (!is_told(function)) {
      ++idle;
      continue;
    }
    std::cout << "  " << padded(one_line(name_here(function, prefix), 60), 40) << "  "
              << padded(std::to_string(function.jobs - function.running), 7) << "  "
              << padded(std::to_string(function.running), 7) << "  " << function.workers
              << (function.workers == 0 ? "  NOBODY SERVES IT" : "") << '\n';
  }
  if (idle > 0) {
    std::cout << "  " << (idle < view.functions.size() ? "… and " : "") << counted(idle, "function")
              << " without jobs (--all)\n";
  }
}

json::object object_of(const ServerView& view, const FunctionPrefix& prefix) {
  json::array functions;
  for (const FunctionStatus& function : view.functions) {
    const std::optional<std::string> own = prefix.function_of(function.name);
    functions.push_back(json::object{{"function", to_utf8(own.value_or(function.name))},
                                     {"on_server", to_utf8(function.name)},
                                     {"own", own.has_value()},
                                     {"waiting", function.jobs - function.running},
                                     {"running", function.running},
                                     {"connections", function.workers}});
  }
  json::object object{
      {"name", view.server.name()}, {"version", view.version}, {"functions", std::move(functions)}};
  if (!view.problem.empty()) object["problem"] = view.problem;
  return object;
}

void print_json(const WorkersStatus& workers, const std::vector<ServerView>& servers,
                const FunctionPrefix& prefix) {
  json::object object;
  json::array& list = object["workers"].emplace_array();
  for (const WorkerStatus& worker : workers.workers) list.push_back(json::parse(encode_status(worker)));
  json::array& problems = object["problems"].emplace_array();
  for (const std::string& problem : workers.problems) problems.emplace_back(to_utf8(problem));
  json::array& all = object["servers"].emplace_array();
  for (const ServerView& server : servers) all.push_back(object_of(server, prefix));
  std::cout << json::serialize(object) << '\n';
}

}  // namespace

int run_status(const std::vector<std::string>& arguments) {
  CommandOptions options(
      {.usage = "quire status [OPTIONS]",
       .description =
           "Shows the workers of this host with this state_directory: slots, batches in hand and how far "
           "they\n"
           "are, processes and hosts, job servers; then the queues of the job servers: functions for which "
           "jobs\n"
           "wait or run, and those that nobody serves. WAITING are jobs (batches) that no worker has begun,\n"
           "RUNNING those that one has in hand, CONNECTIONS those of workers that offer the function; a "
           "worker\n"
           "may hold more than one. A worker's processes run tasks, its hosts have loaded a script and "
           "wait.\n"
           "Exits with 0; 1 when no worker runs, one cannot be asked, or a job server cannot be reached.",
       .example = "quire status\nquire status --state-directory /tmp/quire --json",
       .settings = {"gearman_servers", "workers_key"}});
  options.own().add_options()("all", po::bool_switch(), "the functions without jobs, too")(
      "json", po::bool_switch(), R"(one line of JSON: {"workers":[…],"problems":[…],"servers":[…]})");
  if (!options.parse(arguments, CommandOptions::Words::among_options)) return exit_ok;
  if (!options.words().empty())
    throw UsageError("`status` takes options only: remove \"" + options.words()[0] + "\".");

  const Settings settings = options.settings();
  const FunctionPrefix prefix = function_prefix(settings);
  const WorkersStatus workers = ask_workers(settings.state_directory);
  std::vector<ServerView> servers;
  for (const JobServer& server : parse_job_servers(settings.gearman_servers))
    servers.push_back(look_at(server));
  const bool fine =
      !workers.workers.empty() && workers.problems.empty() &&
      std::ranges::all_of(servers, [](const ServerView& server) { return server.problem.empty(); });
  if (options.values()["json"].as<bool>()) {
    print_json(workers, servers, prefix);
    return fine ? exit_ok : exit_task_failed;
  }
  for (const WorkerStatus& worker : workers.workers) {
    print(worker, options);
    std::cout << '\n';
  }
  for (const std::string& problem : workers.problems) std::cout << problem << "\n\n";
  if (workers.workers.empty() && workers.problems.empty()) {
    std::cout << "No worker with the state directory " << settings.state_directory
              << " runs here: start one with " << options.suggested("worker")
              << ", or name another with --state-directory or --config.\n\n";
  }
  for (const ServerView& server : servers) print(server, prefix, options, options.values()["all"].as<bool>());
  return fine ? exit_ok : exit_task_failed;
}

}  // namespace quire
