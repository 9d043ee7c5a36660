// Checks: the workers of this site, and those of others on this host.
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>

#include "worker/health/checks.hpp"

namespace quire {
namespace {

namespace fs = std::filesystem;

// Of one of our workers on this host: "quire@HOST:PID"; 0: it is none.
int pid_of(const std::string& identifier) {
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  const std::string beginning = std::string("quire@") + host + ":";
  int pid = 0;
  if (identifier.starts_with(beginning)) {
    std::from_chars(identifier.data() + beginning.size(), identifier.data() + identifier.size(), pid);
  }
  return pid;
}

// The record of a worker, by the file beside it that every worker holds; empty where that cannot be seen.
std::string record_of(int pid) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(pid) + "/fd", error)) {
    const std::string target = fs::read_symlink(entry.path(), error).string();
    constexpr std::string_view ending = "-workers";
    if (!error && target.ends_with(ending)) return target.substr(0, target.size() - ending.size());
  }
  return {};
}

}  // namespace

namespace checks {

void workers(Examination& site) {
  for (const std::string& problem : site.facts().problems) site.alarm(problem);
  for (const WorkerStatus& worker : site.facts().workers) {
    if (worker.short_of_resources) {
      site.alarm(
          "Worker " + worker.client +
          " cannot start processes: raise the limits of processes, memory and open files of its user and "
          "host.");
    }
    for (const JobServerStatus& server : worker.servers) {
      if (server.connected) continue;
      site.alarm("Worker " + worker.client + " has no connection to the job server " + server.name +
                 ": start gearmand there, or correct gearman_servers.");
    }
  }
  if (site.facts().workers.empty() && site.facts().problems.empty()) {
    site.warn("No worker with the state directory " + site.settings().state_directory +
              " runs on this host: start one with " + site.suggested("worker") + ".");
    return;
  }
  site.say_well(counted(site.facts().workers.size(), "worker runs", "workers run") + " on this host.");
}

// Two sites of one job server must not offer the same function: each would take the other's tasks.
void sites(Examination& site) {
  std::set<int> ours;
  std::set<std::string> records{site.settings().record};
  for (const WorkerStatus& worker : site.facts().workers) {
    ours.insert(worker.pid);
    const auto record = worker.settings.find("record");
    if (record != worker.settings.end()) records.insert(record->second);
  }
  const std::set<std::string> known = site.names_on_server();
  std::set<int> told;
  for (const ServerAnswer& answer : site.servers()) {
    if (!answer.problem.empty()) {
      site.say(Finding::Level::ok, "It cannot be told who offers the same functions at " +
                                       answer.server.name() + ", which does not answer.");
    }
    for (const WorkerConnection& connection : answer.connections) {
      const int pid = pid_of(connection.identifier);
      if (pid == 0 || ours.contains(pid)) continue;
      std::vector<std::string> both;
      for (const std::string& function : connection.functions) {
        if (known.contains(function)) both.push_back(function);
      }
      if (both.empty() || !told.insert(pid).second) continue;
      const std::string record = record_of(pid);
      if (record.empty() || records.contains(record)) continue;
      site.alarm("Two sites take each other's tasks at " + answer.server.name() + ": worker " +
                 connection.identifier + " with the record " + record + " offers " + some_of(both) +
                 " too; give each site a key of its own (workers_key), or a job server.");
    }
  }
  site.say_well("No worker of another site on this host offers the same functions.");
}

}  // namespace checks
}  // namespace quire
