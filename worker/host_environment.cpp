#include "worker/host_environment.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <sstream>
#include <string_view>

#include "worker/installation.hpp"

extern char** environ;

namespace quire {

std::vector<std::string> host_command(const Module& module, const Settings& settings, bool guarded) {
  if (guarded) {
    std::vector<std::string> command = host_command(module, settings);
    command.insert(command.begin(), {installation().native_host, "guard"});
    return command;
  }
  switch (module.kind) {
    case ModuleKind::native:
      return {installation().native_host, "native", module.path};
    case ModuleKind::program:
      return {installation().native_host, "program", module.path};
    case ModuleKind::python:
      break;
  }
  std::vector<std::string> command{settings.python, installation().python_host};
  if (!settings.python_path.empty()) command.insert(command.end(), {"--path", settings.python_path});
  command.push_back(module.import_name);
  if (!module.path.empty()) command.push_back(module.path);
  return command;
}

std::vector<std::string> host_environment(const Settings& settings) {
  std::vector<std::string> patterns;
  std::istringstream list(settings.pass_environment);
  for (std::string pattern; list >> pattern;) patterns.push_back(pattern);

  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string name(text.substr(0, text.find('=')));
    const bool passes = std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
      return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
    });
    if (passes && !settings.environment.contains(name)) result.emplace_back(text);
  }
  for (const auto& [name, value] : settings.environment) result.push_back(name + "=" + value);
  // Names of files are UTF-8 for scripts and for the programs that they call, also in a container or under a
  // supervisor that says nothing of a language.
  const bool has_language = std::ranges::any_of(result, [](const std::string& variable) {
    return variable.starts_with("LC_ALL=") || variable.starts_with("LC_CTYPE=") ||
           variable.starts_with("LANG=");
  });
  if (!has_language) result.emplace_back("LANG=C.UTF-8");
  return result;
}

}  // namespace quire
