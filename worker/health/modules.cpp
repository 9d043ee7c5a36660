// Checks: what the module table promises, at the job servers and on this host.
#include <algorithm>

#include "worker/health/checks.hpp"
#include "worker/module_check.hpp"
#include "worker/nearest.hpp"

namespace quire {
namespace {

// What a client sees who submits such a job.
const std::string nobody = "No Gearman worker available that can handle the job";

std::string gearadmin(const JobServer& server, const std::string& words) {
  return "`gearadmin --host=" + server.host + " --port=" + std::to_string(server.port) + " " + words + "`";
}

// Jobs that wait for a function of this site that nobody serves.
void look_for_waiting(Examination& site, const ServerAnswer& answer, const std::set<std::string>& ours,
                      const std::vector<std::string>& offered) {
  for (const FunctionStatus& function : answer.functions) {
    if (function.workers > 0 || function.jobs == 0 || !site.prefix().function_of(function.name)) continue;
    site.alarm(nobody + ": " + counted(function.jobs, "job waits", "jobs wait") + " at " +
               answer.server.name() + " for " + function.name + ", which nobody serves." +
               did_you_mean(function.name, offered) +
               (ours.contains(function.name)
                    ? " The module table has it: start " + site.suggested("worker") +
                          ", or send it HUP. Or cancel its jobs: "
                    : " Add it to the module table and restart or HUP the worker, or cancel its jobs: ") +
               gearadmin(answer.server, "--show-jobs") + " lists their handles, " +
               gearadmin(answer.server, "--cancel-job=HANDLE") +
               " cancels one. Cancelled ones, and those whose client has gone, are counted until a worker "
               "offers the "
               "function.");
  }
}

}  // namespace

namespace checks {

void functions(Examination& site) {
  const std::set<std::string> ours = site.names_on_server();
  for (const ServerAnswer& answer : site.servers()) {
    if (!answer.problem.empty()) {
      site.say(Finding::Level::ok, "It cannot be told who serves functions at " + answer.server.name() +
                                       ", which does not answer.");
      continue;
    }
    std::vector<std::string> offered;
    for (const FunctionStatus& function : answer.functions) {
      if (function.workers > 0) offered.push_back(function.name);
    }
    look_for_waiting(site, answer, ours, offered);
    std::vector<std::string> missing;
    for (const std::string& name : ours) {
      if (std::ranges::find(offered, name) == offered.end()) missing.push_back(name);
    }
    if (missing.empty()) continue;
    site.warn(nobody + ", when one comes to " + answer.server.name() + ": nobody serves " + some_of(missing) +
              " of the module table " + site.settings().client_modules + ": start " +
              site.suggested("worker") + ", or send it HUP when the table is new.");
  }
  site.say_well("Every function is served.");
}

void modules(Examination& site) {
  if (site.table() == nullptr) {
    site.alarm(site.table_problem());
    return;
  }
  std::set<std::string> seen;
  for (const std::string& function : site.table()->functions()) {
    if (!seen.insert(site.table()->module_name(function)).second) continue;
    ModuleCheck check;
    try {
      check = check_module(site.table()->find(function), site.settings());
    } catch (const NoSuchModule& error) {
      check.text = error.what();
    }
    if (check.loaded) continue;
    std::string why = check.text.substr(0, check.text.find('\n'));
    if (!why.ends_with('.')) why += '.';
    site.alarm("The script of " + function + " does not load: " + why + " " +
               site.suggested("scripts check", function) + " tells more.");
  }
  site.say_well(seen.size() == 1 ? "The client script loads."
                                 : "All " + std::to_string(seen.size()) + " client scripts load.");
}

}  // namespace checks
}  // namespace quire
