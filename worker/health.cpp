// One room although it is long: every check reads the same answers of the job servers, asked for once, and says what it
// finds in the same words.
#include "worker/health.hpp"

#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>

#include "worker/gearman_admin.hpp"
#include "worker/workers_key.hpp"
#include "worker/gearmand_facts.hpp"
#include "worker/module_check.hpp"
#include "worker/module_registry.hpp"
#include "worker/nearest.hpp"
#include "worker/record_check.hpp"

namespace quire {
namespace {

namespace fs = std::filesystem;
using Level = Finding::Level;

constexpr auto question_limit = std::chrono::seconds(3);
constexpr std::size_t names_told = 5;

// A few names of many: "a, b and 3 more".
std::string some_of(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), names_told); ++i)
    text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > names_told) text += " and " + std::to_string(names.size() - names_told) + " more";
  return text;
}

class Examination {
 public:
  explicit Examination(const SiteFacts& site)
      : site_(site),
        servers_(parse_job_servers(site.settings.gearman_servers)),
        prefix_(function_prefix(site.settings)) {
    for (const JobServer& server : servers_) {
      Answer& answer = answers_.emplace_back();
      try {
        answer.functions = function_status(server, question_limit);
        answer.connections = worker_connections(server, question_limit);
      } catch (const std::runtime_error& error) {
        answer.problem = error.what();
      }
    }
  }

  std::vector<Finding> take() { return std::move(findings_); }

  void workers() {
    for (const std::string& problem : site_.problems)
      say(Level::critical, problem + " Look at its log, and restart it.");
    for (const WorkerStatus& worker : site_.workers) {
      if (worker.short_of_resources) {
        say(Level::critical, "Worker " + worker.client +
                                 " cannot start processes: raise the limits of processes, memory and open "
                                 "files of its user and host.");
      }
      for (const JobServerStatus& server : worker.servers) {
        if (!server.connected) {
          say(Level::critical, "Worker " + worker.client + " has no connection to the job server " +
                                   server.name + ": start gearmand there, or correct gearman_servers.");
        }
      }
    }
    if (site_.workers.empty() && site_.problems.empty()) {
      say(Level::warning, "No worker with the state directory " + site_.settings.state_directory +
                              " runs on this host: start one with `quire worker`.");
    } else {
      say_well(std::to_string(site_.workers.size()) +
               (site_.workers.size() == 1 ? " worker runs" : " workers run") + " on this host.");
    }
  }

  void server() {
    for_each_server([&](const JobServer& server, const Answer& answer) {
      if (!answer.problem.empty()) {
        say(Level::critical,
            answer.problem + " Start gearmand there, or name the right one in gearman_servers.");
      }
    });
    say_well("The job servers answer.");
  }

  void listening() {
    for_each_server([&](const JobServer& server, const Answer&) {
      if (!is_on_this_host(server)) return;
      if (listens_everywhere(server.port)) {
        say(Level::warning, "The job server " + server.name() +
                                " listens on every address of this host, and whoever reaches it can run "
                                "client scripts: start gearmand "
                                "with --listen=127.0.0.1, or keep others out with a firewall.");
      }
    });
    say_well("No job server of this host listens on every address.");
  }

  void queue() {
    for_each_server_facts(
        [&](const JobServer& server, const GearmandFacts& facts) {
          if (facts.queue == "builtin") {
            say(Level::warning,
                "The job server " + server.name() + " (" + facts.source +
                    ") keeps its queue in memory, so background jobs are lost when it stops: start gearmand "
                    "with "
                    "--queue-type=libsqlite3 --libsqlite3-db=/var/lib/gearman/queue.sqlite3.");
          }
        },
        "whether its queue is on disk");
    say_well("Queues are kept on disk.");
  }

  void retries() {
    for_each_server_facts(
        [&](const JobServer& server, const GearmandFacts& facts) {
          if (facts.retries == 0) {
            say(Level::warning, "The job server " + server.name() + " (" + facts.source +
                                    ") delivers a job whose worker dies again without limit: start gearmand "
                                    "with --job-retries=3.");
          }
        },
        "how often it delivers a job again");
    say_well("Job servers give a job up after some deliveries.");
  }

  void functions() {
    const ModuleRegistry modules(site_.settings);
    for_each_server([&](const JobServer& server, const Answer& answer) {
      if (!answer.problem.empty()) return;
      std::vector<std::string> offered;
      for (const FunctionStatus& function : answer.functions) {
        if (function.workers > 0) offered.push_back(function.name);
      }
      for (const FunctionStatus& function : answer.functions) {
        if (function.workers > 0 || function.jobs == 0 || !prefix_.function_of(function.name)) continue;
        say(Level::critical,
            "No Gearman worker available that can handle the job: " + std::to_string(function.jobs) +
                (function.jobs == 1 ? " job waits" : " jobs wait") + " at " + server.name() + " for " +
                function.name + ", which nobody serves." + did_you_mean(function.name, offered) +
                " Add it to the module table and restart or HUP the worker, or cancel its jobs with "
                "gearadmin.");
      }
      std::vector<std::string> missing;
      for (const std::string& name : names_on_server(modules)) {
        if (std::ranges::find(offered, name) == offered.end()) missing.push_back(name);
      }
      if (!missing.empty()) {
        say(Level::warning, "No Gearman worker available that can handle the job, when one comes to " +
                                server.name() + ": nobody serves " + some_of(missing) +
                                " of the module table " + site_.settings.client_modules +
                                ": start `quire worker`, or send it HUP when the table is new.");
      }
    });
    say_well("Every function is served.");
  }

  // Two sites of one job server must not offer the same function: each would take the other's tasks.
  void sites() {
    std::set<int> ours;
    std::set<std::string> records{site_.settings.record};
    for (const WorkerStatus& worker : site_.workers) {
      ours.insert(worker.pid);
      const auto record = worker.settings.find("record");
      if (record != worker.settings.end()) records.insert(record->second);
    }
    const ModuleRegistry modules(site_.settings);
    const std::set<std::string> known = names_on_server(modules);
    std::set<int> told;
    for_each_server([&](const JobServer& server, const Answer& answer) {
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
        say(Level::critical, "Two sites take each other's tasks at " + server.name() + ": worker " +
                                 connection.identifier + " with the record " + record + " offers " +
                                 some_of(both) +
                                 " too; give each site a key of its own (workers_key), or a job server.");
      }
    });
    say_well("No worker of another site on this host offers the same functions.");
  }

  void modules() {
    const ModuleRegistry modules(site_.settings);
    std::set<std::string> seen;
    for (const std::string& function : modules.functions()) {
      if (!seen.insert(modules.module_name(function)).second) continue;
      ModuleCheck check;
      try {
        check = check_module(modules.find(function), site_.settings);
      } catch (const NoSuchModule& error) {
        check.text = error.what();
      }
      if (check.loaded) continue;
      std::string why = check.text.substr(0, check.text.find('\n'));
      if (!why.ends_with('.')) why += '.';
      say(Level::critical, "The script of " + function + " does not load: " + why + " `quire scripts check " +
                               function + "` tells more.");
    }
    say_well("All " + std::to_string(seen.size()) + " client scripts load.");
  }

  void record() {
    for (const WorkerStatus& worker : site_.workers) {
      if (worker.record_healthy) continue;
      say(Level::critical,
          "Worker " + worker.client + " cannot write its record: " + worker.record_problem +
              " Mend the file, its folder or the disk; what is kept in memory is then written by itself.");
    }
    if (!site_.settings.keeps_record()) {
      say_well("No record is kept (record = none): a task that is delivered again is run again.");
      return;
    }
    const std::string problem = record_problem(site_.settings.record);
    if (!problem.empty()) {
      say(Level::critical,
          "The record " + site_.settings.record + " cannot be written: " + problem +
              " Mend the file, its folder or the disk, or name another with the setting record.");
    }
    struct statvfs disk {};
    const fs::path folder = fs::path(site_.settings.record).parent_path();
    constexpr std::uint64_t little = 256ULL << 20;
    if (::statvfs(folder.c_str(), &disk) == 0 && disk.f_bavail * disk.f_frsize < little) {
      say(Level::warning, "The disk of the record has " +
                              std::to_string((disk.f_bavail * disk.f_frsize) >> 20) + " MiB left in " +
                              folder.string() +
                              ": make room, for instance with `quire tasks clear --until 30d`.");
    }
    say_well("The record " + site_.settings.record + " can be written.");
  }

  void limits() {
    if (site_.workers.empty()) {
      rlimit files{};
      ::getrlimit(RLIMIT_NOFILE, &files);
      check_files("this user", files.rlim_max, site_.settings.workers, site_.settings.max_processes);
      rlimit processes{};
      ::getrlimit(RLIMIT_NPROC, &processes);
      check_processes("this user", processes.rlim_cur, site_.settings.max_processes);
    }
    for (const WorkerStatus& worker : site_.workers) {
      const std::string who = "worker " + worker.client;
      rlimit files{};
      if (::prlimit(worker.pid, RLIMIT_NOFILE, nullptr, &files) == 0)
        check_files(who, files.rlim_cur, worker.slots, worker.max_processes);
      rlimit processes{};
      if (::prlimit(worker.pid, RLIMIT_NPROC, nullptr, &processes) == 0)
        check_processes(who, processes.rlim_cur, worker.max_processes);
    }
    say_well("Open files and processes suffice for the settings.");
  }

  void clock() {
    const Timestamp latest =
        site_.settings.keeps_record() ? latest_end(site_.settings.record) : Timestamp{};
    if (latest > now() + std::chrono::minutes(1)) {
      say(Level::critical,
          "The record has a task that ended at " + record_time(latest) +
              " UTC, which is yet to come by the clock of this "
              "host: synchronise the clocks of all hosts with workers (chrony, systemd-timesyncd).");
    }
    timex state{};
    if (::adjtimex(&state) == TIME_ERROR) {
      say(Level::warning,
          "The clock of this host is not synchronised, so that times of tasks cannot be compared: run chrony "
          "or "
          "systemd-timesyncd.");
    }
    say_well("The clock is synchronised.");
  }

  void begin(const std::string& check) {
    check_ = check;
    before_ = findings_.size();
  }

 private:
  struct Answer {
    std::vector<FunctionStatus> functions;
    std::vector<WorkerConnection> connections;
    std::string problem;
  };

  // What the job servers call the functions of this site.
  std::set<std::string> names_on_server(const ModuleRegistry& modules) const {
    std::set<std::string> names;
    for (const std::string& function : modules.functions()) names.insert(prefix_.on_server(function));
    return names;
  }

  void say(Level level, const std::string& sentence) { findings_.push_back({level, check_, sentence}); }

  // Where the check has found nothing.
  void say_well(const std::string& sentence) {
    if (findings_.size() == before_) say(Level::ok, sentence);
  }

  template <typename Use>
  void for_each_server(Use use) {
    for (std::size_t i = 0; i < servers_.size(); ++i) use(servers_[i], answers_[i]);
  }

  template <typename Use>
  void for_each_server_facts(Use use, const std::string& what) {
    for (const JobServer& server : servers_) {
      if (const std::optional<GearmandFacts> facts = gearmand_facts(server)) {
        use(server, *facts);
      } else {
        say(Level::ok, "It cannot be told from here " + what + ": the job server " + server.name() +
                           (is_on_this_host(server) ? " runs where its process cannot be seen."
                                                    : " runs on another host."));
      }
    }
  }

  // Of one of our workers on this host: "quire@HOST:PID"; 0: it is none.
  static int pid_of(const std::string& identifier) {
    char host[256] = {};
    ::gethostname(host, sizeof host - 1);
    const std::string beginning = std::string("quire@") + host + ":";
    if (!identifier.starts_with(beginning)) return 0;
    return std::atoi(identifier.c_str() + beginning.size());
  }

  // The record of a worker, by the file beside it that every worker holds; empty where that cannot be seen.
  static std::string record_of(int pid) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(pid) + "/fd", error)) {
      const std::string target = fs::read_symlink(entry.path(), error).string();
      constexpr std::string_view ending = "-workers";
      if (!error && target.ends_with(ending)) return target.substr(0, target.size() - ending.size());
    }
    return {};
  }

  // A connection, a host and a subset take descriptors each: with these a worker at work was never short.
  void check_files(const std::string& who, rlim_t limit, std::size_t slots, std::size_t processes) {
    const std::size_t wanted = 128 + 2 * slots + 12 * processes;
    if (limit == RLIM_INFINITY || limit >= wanted) return;
    say(Level::warning, "Open files are limited to " + std::to_string(limit) + " for " + who +
                            ", which wants " + std::to_string(wanted) +
                            " with these settings: raise LimitNOFILE= of its unit or ulimit -n, or lower "
                            "workers and max_processes.");
  }
  void check_processes(const std::string& who, rlim_t limit, std::size_t processes) {
    const std::size_t wanted = 64 + 8 * processes;
    if (limit == RLIM_INFINITY || limit >= wanted) return;
    say(Level::warning, "Processes are limited to " + std::to_string(limit) + " for the user of " + who +
                            ", and " + std::to_string(wanted) +
                            " may be wanted with these settings: raise LimitNPROC= of its unit or ulimit -u, "
                            "or lower max_processes.");
  }

  const SiteFacts& site_;
  const std::vector<JobServer> servers_;
  const FunctionPrefix prefix_;  // of this site's functions at the job servers
  std::vector<Answer> answers_;
  std::vector<Finding> findings_;
  std::string check_;
  std::size_t before_ = 0;
};

constexpr std::array<std::pair<const char*, void (Examination::*)()>, 11> checks{{
    {"workers", &Examination::workers},
    {"server", &Examination::server},
    {"listening", &Examination::listening},
    {"queue", &Examination::queue},
    {"retries", &Examination::retries},
    {"functions", &Examination::functions},
    {"sites", &Examination::sites},
    {"modules", &Examination::modules},
    {"record", &Examination::record},
    {"limits", &Examination::limits},
    {"clock", &Examination::clock},
}};

}  // namespace

const char* name_of(Finding::Level level) {
  constexpr std::array names = {"ok", "warning", "critical"};
  return names[static_cast<std::size_t>(level)];
}

const std::vector<std::string>& health_checks() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& [name, check] : checks) all.emplace_back(name);
    return all;
  }();
  return names;
}

std::vector<Finding> examine(const SiteFacts& site, const std::vector<std::string>& without) {
  Examination examination(site);
  for (const auto& [name, check] : checks) {
    if (std::ranges::find(without, name) != without.end()) continue;
    examination.begin(name);
    (examination.*check)();
  }
  return examination.take();
}

}  // namespace quire
