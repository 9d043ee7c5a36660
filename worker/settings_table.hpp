// The tables of all settings: a setting is added here, as a member of Settings and a row, and nowhere else.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "worker/setting_values.hpp"
#include "worker/settings.hpp"

namespace quire {

// One setting of section [quire].
struct SettingRow {
  const char* name;
  std::variant<std::string Settings::*, std::size_t Settings::*, bool Settings::*> member;
  const char* value_name;
  const char* documentation;
  Range range = {};                             // of a number
  void (*check)(const std::string&) = nullptr;  // of a text
};

inline constexpr Range slots = {0, 10'000};

inline constexpr std::array setting_rows = {
    SettingRow{"gearman_servers",
               &Settings::gearman_servers,
               "LIST",
               "Job servers, HOST:PORT, separated by commas",
               {},
               check_servers},
    SettingRow{"client_modules", &Settings::client_modules, "FILE",
               "Module table: which function is which client script; empty: the table that ships"},
    SettingRow{"client_scripts", &Settings::client_scripts, "FOLDERS",
               "Folders with client scripts, separated by colons; empty: the folder that ships"},
    SettingRow{"record", &Settings::record, "FILE",
               "Task record, a SQLite file; empty: record.sqlite in state_directory"},
    SettingRow{"state_directory", &Settings::state_directory, "FOLDER",
               "The worker's own files; empty: /var/lib/quire (root), ~/.local/state/quire (others)"},
    SettingRow{"workers", &Settings::workers, "NUMBER",
               "Batches in hand at the same time; 0: two per processor", slots},
    SettingRow{"max_processes", &Settings::max_processes, "NUMBER",
               "Processes that run client scripts at the same time; 0: one per processor", slots},
    SettingRow{"shared_directory", &Settings::shared_directory, "FOLDER",
               "What %sharedPath% in a task's arguments stands for"},
    SettingRow{"client_assets_directory", &Settings::client_assets_directory, "FOLDER",
               "What %clientAssetsDirectory% in a task's arguments stands for"},
    SettingRow{"capture_client_script_output", &Settings::capture_client_script_output, "yes|no",
               "Whether the record keeps what scripts write; no: only the errors of tasks that failed"},
    SettingRow{"python", &Settings::python, "PROGRAM", "Interpreter of the Python scripts"},
    SettingRow{"python_path", &Settings::python_path, "FOLDERS",
               "Folders that Python searches before its own, separated by colons"},
    SettingRow{
        "python_prefix", &Settings::python_prefix, "PACKAGE",
        "Package to import Python scripts from, such as clientScripts; empty: each is a file by itself"},
    SettingRow{"pass_environment", &Settings::pass_environment, "NAMES",
               "Variables that client scripts get from the worker's environment; * stands for any ending"},
    SettingRow{"host_start_limit", &Settings::host_start_limit, "SECONDS",
               "Seconds in which a script must have been loaded", Range{.least = 1}},
    SettingRow{"host_idle_time", &Settings::host_idle_time, "SECONDS",
               "Seconds for which a script without work is kept loaded; 0: for ever"},
    SettingRow{"host_subsets", &Settings::host_subsets, "NUMBER",
               "Runs of a script (subsets of batches) after which it is loaded anew; 0: never"},
    SettingRow{"log_level",
               &Settings::log_level,
               "LEVEL",
               "Least level of the log: trace, debug, info, warning, error, critical, off",
               {},
               check_log_level},
};

// One setting of sections [function:NAME].
struct FunctionSettingRow {
  const char* name;
  std::optional<std::size_t> FunctionSettings::*member;
  const char* example;
  const char* documentation;
  Range range = {};
};

inline constexpr std::array function_setting_rows = {
    FunctionSettingRow{"concurrent_instances", &FunctionSettings::concurrent_instances, "4",
                       "Into how many processes a batch may be divided, instead of what the script says",
                       Range{1, slots.most}},
};

// The row with this name, or null.
template <typename Rows>
auto find_row(const Rows& table, const std::string& name) {
  const auto row =
      std::find_if(table.begin(), table.end(), [&](const auto& each) { return name == each.name; });
  return row == table.end() ? nullptr : &*row;
}

inline std::vector<std::string> names(const auto& table) {
  std::vector<std::string> all;
  for (const auto& row : table) all.emplace_back(row.name);
  return all;
}

}  // namespace quire
