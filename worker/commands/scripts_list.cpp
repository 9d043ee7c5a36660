#include <algorithm>
#include <array>
#include <iomanip>
#include <iostream>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "common/text.hpp"
#include "worker/commands/command.hpp"
#include "worker/commands/command_options.hpp"
#include "worker/commands/scripts.hpp"
#include "worker/installation.hpp"
#include "worker/module_registry.hpp"

namespace quire {
namespace {

// What the table says of a function, and what was found for it.
struct Line {
  std::string function;
  std::string module;
  std::string kind;   // empty when there is no script
  std::string where;  // its file or import name, or why there is none
};

Line line_of(const ModuleRegistry& modules, const std::string& function) {
  Line line{function, modules.module_name(function), "", ""};
  try {
    const Module module = modules.find(function);
    line.kind = name_of(module.kind);
    line.where = module.key();
  } catch (const NoSuchModule& error) {
    line.where = error.what();
  }
  return line;
}

void print_json(const Line& line) {
  boost::json::object object = {{"function", to_utf8(line.function)}, {"module", to_utf8(line.module)}};
  if (line.kind.empty()) {
    object["error"] = to_utf8(line.where);
  } else {
    object["kind"] = line.kind;
    object["file"] = to_utf8(line.where);
  }
  std::cout << object << '\n';
}

void print_table(const std::vector<Line>& lines) {
  std::array<std::size_t, 2> widths = {8, 6};
  for (const Line& line : lines) {
    widths = {std::max(widths[0], line.function.size()), std::max(widths[1], line.module.size())};
  }
  const auto print = [&](const Line& line) {
    std::cout << std::left << std::setw(static_cast<int>(widths[0] + 2)) << line.function
              << std::setw(static_cast<int>(widths[1] + 2)) << line.module << std::setw(9)
              << (line.kind.empty() ? "error" : line.kind) << line.where << '\n';
  };
  print({"FUNCTION", "MODULE", "KIND", "FILE"});
  for (const Line& line : lines) print(line);
}

}  // namespace

int run_scripts_list(const std::vector<std::string>& arguments) {
  namespace po = boost::program_options;
  CommandOptions options({.usage = "quire scripts list [OPTIONS]",
                          .description = "Lists every function of the module table, in its order, with the "
                                         "client script that runs it: its\n"
                                         "kind (native, python, program) and file, or why there is none. "
                                         "Tells where scripts are looked for,\n"
                                         "too, on standard error.\n"
                                         "Exits with 0, also where there are none.",
                          .example = "  quire scripts list --client-scripts /srv/scripts",
                          .settings = {"client_modules", "client_scripts"}});
  options.own().add_options()(
      "json", po::bool_switch(),
      "a line of JSON for each: function, module, kind, file; or function, module, error");
  if (!options.parse(arguments, CommandOptions::Words::among_options)) return exit_ok;
  if (!options.words().empty())
    throw UsageError("`scripts list` takes options only, and was given \"" + options.words()[0] + "\".");

  const Settings settings = options.settings();
  const ModuleRegistry modules(settings);
  std::vector<Line> lines;
  for (const std::string& function : modules.functions()) lines.push_back(line_of(modules, function));
  if (options.values()["json"].as<bool>()) {
    std::for_each(lines.begin(), lines.end(), print_json);
  } else {
    print_table(lines);
    std::cout.flush();
    // Beside the table, which programs read.
    std::cerr << "Client scripts are looked for in " << settings.client_scripts << "; those that ship are in "
              << installation().client_scripts << ".\n";
  }
  if (lines.empty()) {
    std::cerr << "quire scripts list: The module table " << settings.client_modules
              << " has no function: write a line FUNCTION = MODULE below [supportedBatchCommands].\n";
  }
  return exit_ok;
}

}  // namespace quire
