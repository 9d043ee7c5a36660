#include "worker/hand_over_check.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <thread>

#include "worker/gearman_admin.hpp"
#include "worker/mariadb_check.hpp"
#include "worker/module_check.hpp"
#include "worker/module_registry.hpp"
#include "worker/suggestion.hpp"
#include "worker/workers_key.hpp"

namespace quire {
namespace {

namespace fs = std::filesystem;
using Level = Finding::Level;

constexpr auto question_limit = std::chrono::seconds(3);

bool is_folder(const std::string& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

bool can_run(const std::string& program) { return ::access(program.c_str(), X_OK) == 0; }

void check_interpreter(const Settings& settings, Findings& findings) {
  if (can_run(settings.python))
    return findings.push_back({Level::ok, "python", settings.python + " can be run."});
  findings.push_back({Level::critical, "python",
                      settings.python + " cannot be run (" + std::strerror(errno) +
                          "): set python to the interpreter of the scripts' virtual environment."});
}

// Made and removed again, since only that tells whether it can be written, over a network above all.
void check_shared_folder(const Settings& settings, Findings& findings) {
  const std::string& folder = settings.shared_directory;
  const std::string who = "user " + std::to_string(::geteuid());
  if (!is_folder(folder)) {
    return findings.push_back(
        {Level::critical, "shared",
         folder + " is no folder, or cannot be seen by " + who + ": mount it, or correct shared_directory."});
  }
  std::string file = (fs::path(folder) / ".quire-doctor-XXXXXX").string();
  const int descriptor = ::mkstemp(file.data());
  if (descriptor < 0) {
    return findings.push_back({Level::critical, "shared",
                               folder + " cannot be written by " + who + " (" + std::strerror(errno) +
                                   "): run the worker as the user that the old one ran as."});
  }
  ::close(descriptor);
  ::unlink(file.c_str());
  std::error_code error;
  fs::directory_iterator(folder, error);
  if (error) {
    return findings.push_back(
        {Level::critical, "shared", folder + " cannot be read by " + who + ": " + error.message() + "."});
  }
  findings.push_back(
      {Level::ok, "shared",
       folder + " can be read and written by " + who +
           (::geteuid() == 0 ? ", which is root and may do everything: ask as the worker's user." : ".")});
}

void check_assets(const Settings& settings, Findings& findings) {
  const std::string& folder = settings.client_assets_directory;
  if (is_folder(folder)) {
    findings.push_back({Level::ok, "assets", folder + " is there."});
  } else {
    findings.push_back(
        {Level::critical, "assets",
         folder + " is no folder: set client_assets_directory to the client's folder assets."});
  }
  const auto catalog = settings.environment.find("XML_CATALOG_FILES");
  if (catalog == settings.environment.end()) {
    findings.push_back(
        {Level::warning, "assets",
         "XML_CATALOG_FILES is not set in [environment], so scripts that check XML fetch schemas "
         "over the network: set it to the assets' catalog/catalog.xml."});
  } else if (std::error_code ignored; !fs::exists(catalog->second, ignored)) {
    findings.push_back(
        {Level::warning, "assets", "There is no " + catalog->second + ": correct XML_CATALOG_FILES."});
  }
}

void check_job_servers(const Settings& settings, const ModuleRegistry& modules, Findings& findings) {
  const FunctionPrefix prefix = function_prefix(settings);
  // CCP's own job server has no administration protocol.
  const bool is_ccp = !settings.ccp_config.empty() || settings.python_prefix.starts_with("worker.");
  for (const JobServer& server : parse_job_servers(settings.gearman_servers)) {
    try {
      std::size_t served = 0;
      for (const FunctionStatus& status : function_status(server, question_limit)) {
        const std::optional<std::string> function = prefix.function_of(status.name);
        if (function && status.workers > 0 &&
            std::ranges::find(modules.functions(), *function) != modules.functions().end())
          ++served;
      }
      findings.push_back({Level::ok, "jobserver",
                          server.name() + " answers; " + std::to_string(served) + " of the " +
                              std::to_string(modules.functions().size()) + " functions " +
                              (served == 1 ? "is" : "are") + " served by a worker now."});
    } catch (const std::runtime_error& error) {
      if (is_ccp && dynamic_cast<const NotConnected*>(&error) == nullptr) {
        findings.push_back({Level::warning, "jobserver",
                            std::string(error.what()) +
                                " CCP's own job server answers no such question, so this may "
                                "be well: quire submit tells."});
      } else {
        findings.push_back({Level::critical, "jobserver",
                            std::string(error.what()) + " Start it there, or correct gearman_servers."});
      }
    }
  }
}

void check_database(const Settings& settings, Findings& findings) {
  for (Finding& finding : check_mariadb(settings, question_limit)) findings.push_back(std::move(finding));
}

// The sentence of a traceback that tells most: its last line.
std::string last_line(const std::string& text) {
  const std::size_t end = text.find_last_not_of(" \n");
  if (end == text.npos) return text;
  const std::size_t begin = text.rfind('\n', end);
  return text.substr(begin == text.npos ? 0 : begin + 1, end - (begin == text.npos ? 0 : begin + 1) + 1);
}

// Why a function's script cannot be run; empty: it can.
std::string problem_of(const std::string& function, const ModuleRegistry& modules, const Settings& settings) {
  try {
    const ModuleCheck check = check_module(modules.find(function), settings);
    return check.loaded ? "" : last_line(check.text);
  } catch (const NoSuchModule& error) {
    return error.what();
  }
}

void check_modules(const Settings& settings, const ModuleRegistry& modules, const std::string& options,
                   Findings& findings) {
  if (!can_run(settings.python)) {
    return findings.push_back({Level::critical, "modules",
                               "None of " + std::to_string(modules.functions().size()) +
                                   " functions was looked at, since the interpreter cannot be run."});
  }
  std::vector<std::string> functions;  // one for each module
  std::set<std::string> seen;
  for (const std::string& function : modules.functions()) {
    if (seen.insert(modules.module_name(function)).second) functions.push_back(function);
  }
  std::vector<std::string> problems(functions.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < functions.size(); i = next++)
      problems[i] = problem_of(functions[i], modules, settings);
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < std::min(settings.max_processes, functions.size()); ++i)
    threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();

  // What all of them lack is told once.
  std::map<std::string, std::vector<std::size_t>> failures;
  for (std::size_t i = 0; i < functions.size(); ++i) {
    if (!problems[i].empty()) failures[problems[i]].push_back(i);
  }
  std::size_t failed = 0;
  for (const auto& [problem, which] : failures) {
    failed += which.size();
    const std::string& first = functions[which[0]];
    findings.push_back(
        {Level::critical, "modules",
         first + " (" + modules.module_name(first) + ")" +
             (which.size() == 1 ? " does not load: "
                                : " and " + std::to_string(which.size() - 1) + " more do not load: ") +
             problem + (problem.ends_with('.') ? " " : ". ") + suggested(options, "scripts check", first) +
             " tells all of it."});
  }
  findings.push_back({failed == 0 ? Level::ok : Level::critical, "modules",
                      std::to_string(functions.size() - failed) + " of " + std::to_string(functions.size()) +
                          " modules load."});
}

}  // namespace

Findings check_hand_over(const Settings& settings, const std::string& options) {
  Findings findings;
  check_interpreter(settings, findings);
  check_shared_folder(settings, findings);
  check_assets(settings, findings);
  check_database(settings, findings);
  // Without its table nothing can be said of functions; what else there is should be told all the same.
  try {
    const ModuleRegistry modules(settings);
    check_job_servers(settings, modules, findings);
    check_modules(settings, modules, options, findings);
  } catch (const ConfigurationError& error) {
    findings.push_back({Level::critical, "modules", error.what()});
  }
  return findings;
}

}  // namespace quire
