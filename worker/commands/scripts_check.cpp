#include <iostream>
#include <set>
#include <sstream>

#include "worker/commands/command.hpp"
#include "worker/commands/command_options.hpp"
#include "worker/commands/scripts.hpp"
#include "worker/module_check.hpp"
#include "worker/module_registry.hpp"

namespace quire {
namespace {

std::string describe(const Module& module, const ModuleCheck& check) {
  std::string text = name_of(module.kind) + std::string(", ") + module.key();
  if (module.kind == ModuleKind::program) return text + ", one process a job";
  text += check.concurrent_instances == 0
              ? ", one batch at a time"
              : ", up to " + std::to_string(check.concurrent_instances) + " processes a batch";
  if (check.independent) text += ", independent jobs";
  if (check.fresh) text += ", loaded anew for each subset";
  return text;
}

void print_failure(const std::string& name, const std::string& text) {
  std::cout << "FAILED  " << name << ": ";
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  std::cout << line << '\n';
  while (std::getline(lines, line)) std::cout << "        " << line << '\n';
}

// Prints what became of it and returns whether it loads. The stream is flushed, since the next may take long.
bool check_and_print(const ModuleRegistry& modules, const Settings& settings, const std::string& name) {
  ModuleCheck check;
  try {
    const Module module = modules.find_function_or_module(name);
    check = check_module(module, settings);
    if (check.loaded) std::cout << "ok      " << name << ": " << describe(module, check) << '\n';
  } catch (const NoSuchModule& error) {
    check.text = error.what();
  }
  if (!check.loaded) print_failure(name, check.text);
  std::cout.flush();
  return check.loaded;
}

}  // namespace

int run_scripts_check(const std::vector<std::string>& arguments) {
  CommandOptions options(
      {.usage = "quire scripts check [OPTIONS] [FUNCTION|MODULE…]",
       .description = "Loads client scripts, each in a process of its own, and says what is wrong with those "
                      "that do not\n"
                      "load. Without names: all scripts of the module table. Exits with 1 when one fails.",
       .example = "  quire scripts check hello checksum_v0.0",
       .settings = {"client_modules", "client_scripts", "python", "python_path", "python_prefix",
                    "host_start_limit"}});
  if (!options.parse(arguments, CommandOptions::Words::among_options)) return exit_ok;

  const Settings settings = options.settings();
  const ModuleRegistry modules(settings);
  std::vector<std::string> names = options.words();
  if (names.empty()) {
    std::set<std::string> seen;  // several functions may be one module
    for (const std::string& function : modules.functions()) {
      if (seen.insert(modules.module_name(function)).second) names.push_back(function);
    }
  }
  std::size_t failed = 0;
  for (const std::string& name : names) {
    if (!check_and_print(modules, settings, name)) ++failed;
  }
  std::cout << names.size() - failed << " of " << names.size()
            << (names.size() == 1 ? " script loads.\n" : " scripts load.\n");
  return failed == 0 ? exit_ok : exit_task_failed;
}

}  // namespace quire
