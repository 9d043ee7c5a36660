#include "worker/settings.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <locale>
#include <sstream>
#include <thread>
#include <type_traits>
#include <variant>

#include <unistd.h>
#include <boost/algorithm/string/case_conv.hpp>
#include <boost/algorithm/string/trim.hpp>

#include "worker/installation.hpp"
#include "worker/settings_table.hpp"

namespace quire {
namespace {

std::string default_of(const SettingRow& row) {
  static const Settings defaults;
  return std::visit(
      [](const auto member) -> std::string {
        const auto& value = defaults.*member;
        using Value = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, std::string>)
          return value;
        else if constexpr (std::is_same_v<Value, bool>)
          return value ? "yes" : "no";
        else
          return std::to_string(value);
      },
      row.member);
}

void set_value(Settings& settings, const SettingRow& row, const std::string& text) {
  if (row.check != nullptr) row.check(text);
  std::visit(
      [&](const auto member) {
        auto& value = settings.*member;
        using Value = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, std::string>)
          value = text;
        else if constexpr (std::is_same_v<Value, bool>)
          value = switch_value(text);
        else
          value = number_value(text, row.range);
      },
      row.member);
}

std::string absolute_path(const std::string& path) {
  return std::filesystem::absolute(path).lexically_normal().string();
}

std::string absolute_paths(const std::string& folders) {
  std::string all;
  for (const std::string& folder : list_items(folders, ':')) {
    if (!all.empty()) all += ':';
    all += absolute_path(folder);
  }
  return all;
}

std::string default_state_directory() {
  if (geteuid() == 0) return "/var/lib/quire";
  // The XDG specification has relative paths ignored.
  if (const char* const state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state == '/') {
    return std::string(state) + "/quire";
  }
  if (const char* const home = std::getenv("HOME"); home != nullptr && *home == '/') {
    return std::string(home) + "/.local/state/quire";
  }
  throw ConfigurationError(
      "state_directory: neither XDG_STATE_HOME nor HOME says where it could be; set it.");
}

}  // namespace

std::string lower_case(std::string name) {
  boost::algorithm::to_lower(name, std::locale::classic());
  return name;
}

std::vector<std::string> list_items(const std::string& list, char separator) {
  std::vector<std::string> items;
  std::istringstream stream(list);
  for (std::string item; std::getline(stream, item, separator);) {
    boost::algorithm::trim(item, std::locale::classic());
    if (!item.empty()) items.push_back(item);
  }
  return items;
}

void Settings::complete() {
  const std::size_t processors = std::max(1U, std::thread::hardware_concurrency());
  // One for each process that runs and one that is read, recorded or answered meanwhile; the more for few.
  if (workers == 0) workers = 2 * processors + 2;
  if (max_processes == 0) max_processes = processors;
  client_modules = absolute_paths(client_modules);
  if (client_modules.empty()) client_modules = installation().client_modules;
  client_scripts = absolute_paths(client_scripts);
  if (client_scripts.empty()) client_scripts = installation().client_scripts;
  python_path = absolute_paths(python_path);
  state_directory = absolute_path(state_directory.empty() ? default_state_directory() : state_directory);
  page_token = absolute_path(page_token.empty() ? state_directory + "/page-token" : page_token);
  if (!log_file.empty()) log_file = absolute_path(log_file);
  if (keeps_record()) record = absolute_path(record.empty() ? state_directory + "/record.sqlite" : record);
}

const std::vector<SettingDescription>& setting_descriptions() {
  static const std::vector<SettingDescription> all = [] {
    std::vector<SettingDescription> descriptions;
    for (const SettingRow& row : setting_rows) {
      const std::string name = row.name;
      std::string option = name;
      std::replace(option.begin(), option.end(), '_', '-');
      descriptions.push_back(
          {.name = name,
           .option = option,
           .variable = "QUIRE_" + boost::algorithm::to_upper_copy(name, std::locale::classic()),
           .value_name = row.value_name,
           .documentation = row.documentation,
           .default_value = default_of(row)});
    }
    return descriptions;
  }();
  return all;
}

std::vector<SettingDescription> function_setting_descriptions() {
  std::vector<SettingDescription> descriptions;
  for (const FunctionSettingRow& row : function_setting_rows) {
    SettingDescription& description = descriptions.emplace_back();
    description.name = row.name;
    description.value_name = row.example;
    description.documentation = row.documentation;
  }
  return descriptions;
}

std::string documented_configuration() {
  std::string text = R"(# The settings of quire, each with its default: remove the # before one to change it.
#
# The file is read from --config FILE, else from the variable QUIRE_CONFIG, else from /etc/quire/quire.conf.
# A setting of [quire] may come from the environment too (QUIRE_GEARMAN_SERVERS), which counts more than the
# file, and from the command line (--gearman-servers), which counts most. What the configuration of Archivematica,
# CCP or AtoM says, where archivematica_config, ccp_config or atom_config names it, counts less than all of these.

[quire]
)";
  for (const SettingDescription& setting : setting_descriptions()) {
    text += "\n# " + setting.documentation + ".\n#" + setting.name + " =";
    text += setting.default_value.empty() ? "\n" : " " + setting.default_value + "\n";
  }
  text += R"(
# Settings of one function, by its name in the module table; there may be any number of such sections.
#[function:checksum_v0.0]
)";
  for (const FunctionSettingRow& row : function_setting_rows) {
    const std::string documentation = row.documentation;
    if (!documentation.empty()) text += "\n# " + documentation + ".\n";
    text.append("#").append(row.name).append(" = ").append(row.example).append("\n");
  }
  text += R"(
# Variables that are set in the environment of every client script.
#[environment]
#DJANGO_SETTINGS_MODULE = settings.common
)";
  return text;
}

void set_setting(Settings& settings, const std::string& name, const std::string& value,
                 const std::string& where) {
  try {
    set_value(settings, *find_row(setting_rows, name), value);
  } catch (const std::invalid_argument& error) {
    throw ConfigurationError(where + ": " + error.what());
  }
}

}  // namespace quire
