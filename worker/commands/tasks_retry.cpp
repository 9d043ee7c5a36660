#include <algorithm>
#include <iostream>

#include "worker/batch.hpp"
#include "worker/commands/command.hpp"
#include "worker/commands/command_options.hpp"
#include "worker/commands/tasks.hpp"
#include "worker/gearman_admin.hpp"
#include "worker/gearman_client.hpp"
#include "worker/nearest.hpp"
#include "worker/submitting.hpp"
#include "worker/workers_key.hpp"

namespace quire {
namespace {

// Why a task must not be submitted once more; empty: it may.
std::string refusal(const std::optional<TaskDetails>& found, const std::string& record,
                    const CommandOptions& options) {
  if (!found)
    return "the record " + record + " has no such task; " + options.suggested("tasks list") + " has the ids.";
  if (found->task.state == TaskState::running || found->task.state == TaskState::queued) {
    return std::string("it is ") + name_of(found->task.state) + " with worker " + found->task.client + "; " +
           options.suggested("tasks cancel", found->task.id) + " ends it first.";
  }
  return {};
}

// What to tell when nobody serves the function; empty where somebody does, or where that cannot be known.
std::string nobody_serves(const std::vector<JobServer>& servers, const std::string& function,
                          const CommandOptions& options) try {
  std::vector<std::string> offered;
  for (const FunctionStatus& each : function_status(servers.front(), std::chrono::seconds(2))) {
    if (each.workers > 0) offered.push_back(each.name);
  }
  if (std::ranges::find(offered, function) != offered.end()) return {};
  return "No worker offers " + function + " at " + servers.front().name() + ", so it waits there." +
         did_you_mean(function, offered) + " " + options.suggested("doctor") + " looks into it.";
} catch (const std::runtime_error&) {
  return {};
}

}  // namespace

int run_tasks_retry(const std::vector<std::string>& arguments) {
  CommandOptions options(
      {.usage = "quire tasks retry [OPTIONS] ID…",
       .description =
           "Submits tasks that have ended or are lost once more, each under a new id and as a background "
           "job:\n"
           "its result goes to the record only. What is on record under the old id stays. A task that runs\n"
           "or waits is refused. Exits with 0; 1 when one was refused; 69 when no job server can be reached.",
       .example = "quire tasks retry 7498461c-a2da-462c-ac81-a58f0f4f91b3",
       .settings = {"gearman_servers", "workers_key"}});
  if (!options.parse(arguments, CommandOptions::Words::among_options)) return exit_ok;
  if (options.words().empty())
    throw UsageError("Name a task: quire tasks retry ID. " +
                     options.suggested("tasks list", "--state failed,lost") + " has the ids.");

  const Settings settings = options.settings();
  const std::vector<JobServer> servers = parse_job_servers(settings.gearman_servers);
  const FunctionPrefix prefix = function_prefix(settings);
  const auto view = look_at_site(settings);
  int code = exit_ok;
  for (const std::string& id : options.words()) {
    const std::optional<TaskDetails> found = view->record.find(id);
    const std::string why = refusal(found, settings.record, options);
    if (!why.empty()) {
      std::cout << id << ": not submitted: " << why << '\n';
      code = exit_task_failed;
      continue;
    }
    Task task;
    task.id = new_id();
    task.arguments = found->task.arguments;
    task.wants_output = found->wants_output;
    task.created_date = iso8601(now());
    const std::string function = prefix.on_server(found->task.function);
    try {
      const std::string handle = submit_in_background(servers, function, new_id(), encode_workload({task}));
      std::cout << id << ": submitted as " << task.id << " (" << handle << "); "
                << options.suggested("tasks show", task.id) << " tells what becomes of it.\n";
    } catch (const JobServerUnreachable& error) {
      std::cout.flush();
      std::cerr << "quire tasks retry: " << error.what() << '\n';
      return exit_unavailable;
    }
    const std::string nobody = nobody_serves(servers, function, options);
    if (!nobody.empty()) std::cerr << "quire tasks retry: " << nobody << '\n';
  }
  return code;
}

}  // namespace quire
