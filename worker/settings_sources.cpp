// Where settings come from: the configuration file and the environment.
#include <algorithm>
#include <string_view>

#include "worker/ini_file.hpp"
#include "worker/nearest.hpp"
#include "worker/settings.hpp"
#include "worker/settings_table.hpp"

namespace quire {
namespace {

constexpr std::string_view function_section = "function:";

void check_sections(const IniFile& file) {
  std::map<std::string, std::size_t> functions;
  for (const auto& [name, line] : file.sections) {
    if (name == "quire" || name == "environment") continue;
    if (!name.starts_with(function_section) || name.size() == function_section.size()) {
      throw ConfigurationError(file.at(line) + ": there is no section [" + name +
                               "]; the sections are [quire], [function:NAME] and [environment].");
    }
    const auto [other, is_new] = functions.emplace(lower_case(name), line);
    if (!is_new) {
      throw ConfigurationError(file.at(line) + ": [" + name + "] is the function of line " +
                               std::to_string(other->second) + " once more; join the two.");
    }
  }
}

void set_function_setting(Settings& settings, const IniFile& file, const IniEntry& entry) {
  const FunctionSettingRow* const row = find_row(function_setting_rows, entry.key);
  if (row == nullptr) {
    throw ConfigurationError(file.at(entry.line) + ": \"" + entry.key + "\" is not a setting of a function." +
                             did_you_mean(entry.key, names(function_setting_rows)));
  }
  try {
    const std::string function = lower_case(entry.section.substr(function_section.size()));
    settings.functions[function].*(row->member) = number_value(entry.value, row->range);
  } catch (const std::invalid_argument& error) {
    throw ConfigurationError(file.at(entry.line) + ": " + entry.key + ": " + error.what());
  }
}

void set_variable(Settings& settings, const IniFile& file, const IniEntry& entry) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
  if (entry.key.find_first_not_of(letters) != entry.key.npos ||
      (entry.key[0] >= '0' && entry.key[0] <= '9')) {
    throw ConfigurationError(file.at(entry.line) + ": \"" + entry.key +
                             "\" is not the name of a variable: letters, digits and _ are allowed.");
  }
  settings.environment[entry.key] = entry.value;
}

}  // namespace

void read_settings_file(Settings& settings, const std::string& path) {
  const IniFile file = read_ini_file(path);
  check_sections(file);
  for (const IniEntry& entry : file.entries) {
    if (entry.section == "environment") {
      set_variable(settings, file, entry);
    } else if (entry.section != "quire") {
      set_function_setting(settings, file, entry);
    } else if (find_row(setting_rows, entry.key) == nullptr) {
      throw ConfigurationError(file.at(entry.line) + ": \"" + entry.key + "\" is not a setting." +
                               did_you_mean(entry.key, names(setting_rows)) +
                               " `quire --print-configuration` lists them.");
    } else {
      set_setting(settings, entry.key, entry.value, file.at(entry.line) + ": " + entry.key);
    }
  }
}

void read_settings_environment(Settings& settings, const std::vector<std::string>& variables) {
  for (const std::string& variable : variables) {
    const std::string name = variable.substr(0, variable.find('='));
    if (!name.starts_with("QUIRE_") || name == "QUIRE_CONFIG") continue;
    const auto& all = setting_descriptions();
    const auto setting =
        std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.variable == name; });
    if (setting == all.end()) {
      std::vector<std::string> known = {"QUIRE_CONFIG"};
      for (const SettingDescription& each : all) known.push_back(each.variable);
      throw ConfigurationError(name + ": the environment holds this variable, and there is no such setting." +
                               did_you_mean(name, known) + " Correct its name, or unset it.");
    }
    set_setting(settings, setting->name, variable.substr(std::min(variable.size(), name.size() + 1)), name);
  }
}

}  // namespace quire
