#include "worker/commands/scripts.hpp"

#include <algorithm>
#include <array>
#include <iostream>

#include "worker/commands/command.hpp"
#include "worker/commands/help.hpp"
#include "worker/nearest.hpp"

namespace quire {
namespace {

constexpr std::array parts = {
    Command{"list", "every function of the module table and the script behind it", run_scripts_list},
    Command{"check", "load scripts, each in a process of its own, and say what is wrong", run_scripts_check},
    Command{"new", "begin a script that runs at once", run_scripts_new},
};

Help help() {
  Help help{.usage = "quire scripts COMMAND [OPTIONS]",
            .description = "Lists the client scripts, checks that they load, begins a new one.",
            .example = "quire scripts list\nquire scripts new greet --python"};
  for (const Command& part : parts) help.parts.push_back({part.name, part.summary});
  return help;
}

}  // namespace

int run_scripts(const std::vector<std::string>& arguments) {
  if (arguments.empty())
    throw UsageError("Say what to do: list, check or new. `quire scripts --help` explains.");
  const std::string& word = arguments[0];
  if (const auto form = help_form_of_word(word)) {
    std::cout << help_of_parts(help(), *form);
    return exit_ok;
  }
  const auto part =
      std::find_if(parts.begin(), parts.end(), [&](const Command& each) { return word == each.name; });
  if (part != parts.end()) return part->run({arguments.begin() + 1, arguments.end()});
  std::vector<std::string> names;
  for (const Command& each : parts) names.emplace_back(each.name);
  throw UsageError("\"" + word + "\" is not list, check or new." + did_you_mean(word, names));
}

const char* name_of(ModuleKind kind) {
  switch (kind) {
    case ModuleKind::native:
      return "native";
    case ModuleKind::python:
      return "python";
    case ModuleKind::program:
      return "program";
  }
  return "";
}

}  // namespace quire
