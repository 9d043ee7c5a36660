// quire doctor: what is wrong, and what to do about it.
#include <algorithm>
#include <iostream>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "common/text.hpp"
#include "worker/commands/command.hpp"
#include "worker/commands/command_options.hpp"
#include "worker/commands/tasks.hpp"
#include "worker/hand_over_check.hpp"
#include "worker/health/health.hpp"
#include "worker/nearest.hpp"
#include "worker/suggestion.hpp"

namespace quire {
namespace {

std::vector<std::string> checks_of(const std::string& list) {
  std::vector<std::string> names = list_items(list, ',');
  for (const std::string& name : names) {
    if (std::ranges::find(health_checks(), name) != health_checks().end()) continue;
    std::string all;
    for (const std::string& each : health_checks()) all += (all.empty() ? "" : ", ") + each;
    throw UsageError("--without " + name + " is no check." + did_you_mean(name, health_checks()) +
                     " The checks are " + all + ".");
  }
  return names;
}

void print(const Finding& finding) {
  std::string level = name_of(finding.level);
  if (finding.level != Finding::Level::ok)
    std::ranges::transform(level, level.begin(), [](char c) { return static_cast<char>(c - 'a' + 'A'); });
  std::cout << padded(level, 8) << "  " << padded(finding.check, 9) << "  " << to_utf8(finding.sentence)
            << '\n';
}

void print_json(const Findings& findings) {
  namespace json = boost::json;
  for (const Finding& finding : findings) {
    std::cout << json::serialize(json::object{{"level", name_of(finding.level)},
                                              {"check", finding.check},
                                              {"sentence", to_utf8(finding.sentence)}})
              << '\n';
  }
}

// Which site this is about.
std::string looked_at(const CommandOptions& options, const Settings& settings) {
  const std::string file = options.file();
  std::string given = options.site_options();
  if (options.values().count("config") != 0) given.erase(0, (" --config " + shell_word(file)).size());
  return "Configuration: " + (file.empty() ? "none, all settings have their defaults" : file) +
         (given.empty() ? "" : "; given:" + given) + "; state directory " + settings.state_directory +
         ", job servers " + settings.gearman_servers + ".";
}

}  // namespace

int run_doctor(const std::vector<std::string>& arguments) {
  namespace po = boost::program_options;
  CommandOptions options(
      {.usage = "quire doctor [OPTIONS]",
       .description = "Looks for what is wrong with this site and says what to do about "
                      "it: workers, job servers (reachable,\n"
                      "listening on every address, queue in memory, retries), functions "
                      "that nobody serves, two sites with\n"
                      "one key, client scripts that do not load, the record, room on the disks, "
                      "limits, the clock.\nExits as monitoring wants it:\n"
                      "0 all is well, 1 warnings, 2 something is critical.",
       .example = "quire doctor\nquire doctor --without modules,clock --json\n"
                  "quire doctor --archivematica --config /etc/quire/archivematica.conf",
       .settings = {"gearman_servers", "workers_key", "client_modules", "client_scripts"}});
  options.own().add_options()("without", po::value<std::string>()->default_value("")->value_name("LIST"),
                              "checks to leave out, separated by commas: the second column")(
      "archivematica", po::bool_switch(),
      "before a site moves over from Archivematica's or CCP's own worker: interpreter, shared folder, "
      "assets, job "
      "servers, the controller's database, and every module, loaded in a process of its own")(
      "json", po::bool_switch(), "a line of JSON for each finding: level, check, sentence");
  if (!options.parse(arguments, CommandOptions::Words::among_options)) return exit_ok;
  if (!options.words().empty())
    throw UsageError("`doctor` takes options only: remove \"" + options.words()[0] + "\".");

  const std::vector<std::string> without = checks_of(options.values()["without"].as<std::string>());
  SiteFacts site{.settings = options.settings(), .options = options.site_options()};
  WorkersStatus workers = ask_workers(site.settings.state_directory);
  site.workers = std::move(workers.workers);
  site.problems = std::move(workers.problems);
  const Findings findings = options.values()["archivematica"].as<bool>()
                                ? check_hand_over(site.settings, site.options)
                                : examine(site, without);
  if (options.values()["json"].as<bool>()) {
    print_json(findings);
  } else {
    std::cout << looked_at(options, site.settings) << '\n';
    std::ranges::for_each(findings, print);
  }
  const auto worst = std::ranges::max_element(findings, {}, &Finding::level);
  return worst == findings.end() ? exit_ok : static_cast<int>(worst->level);
}

}  // namespace quire
