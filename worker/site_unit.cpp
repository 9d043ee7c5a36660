#include "worker/site_unit.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <locale>

#include <boost/algorithm/string/trim.hpp>

#include "common/command_line.hpp"

namespace quire {
namespace {

namespace fs = std::filesystem;

// What Quire's own units say in their way.
constexpr std::array seen_to = {
    "Type",           "Restart",        "RestartSec",       "ExecReload",   "ExecStop",
    "PIDFile",        "KillMode",       "KillSignal",       "TimeoutSec",   "TimeoutStartSec",
    "TimeoutStopSec", "StandardOutput", "SyslogIdentifier", "StandardError"};

std::string trimmed(const std::string& text) {
  return boost::algorithm::trim_copy(text, std::locale::classic());
}

class UnitReader {
 public:
  void read(const std::string& path) {
    std::ifstream file(path);
    if (!file)
      throw ConfigurationError(path + ": cannot be read; correct its name, or let this user read it.");
    std::string section = "[Service]";
    std::size_t number = 0;
    for (std::string line; std::getline(file, line);) {
      const std::string where = path + ":" + std::to_string(++number);
      for (std::string more; line.ends_with('\\') && std::getline(file, more); ++number)
        line.replace(line.size() - 1, 1, " " + more);
      line = trimmed(line);
      if (line.empty() || line[0] == '#' || line[0] == ';') continue;
      if (line[0] == '[') {
        section = line;
        continue;
      }
      const std::size_t sign = std::min(line.find('='), line.size());
      if (section == "[Service]")
        take(trimmed(line.substr(0, sign)), trimmed(line.substr(std::min(sign + 1, line.size()))), where);
    }
  }

  SiteUnit finish(const std::string& path) {
    if (!unit_.settings.contains("no_new_privileges")) {
      unit_.others.push_back(path +
                             ": NoNewPrivileges: it is not there, so client scripts may use sudo; here they "
                             "may not. Where one needs it: no_new_privileges = no.");
    }
    return std::move(unit_);
  }

 private:
  void take(const std::string& key, const std::string& value, const std::string& where) {
    const std::string place = where + ": " + key;
    if (key == "ExecStart") {
      take_program(value, place);
    } else if (key == "EnvironmentFile") {
      unit_.variable_files.emplace_back(value.starts_with('-') ? value.substr(1) : value, where);
    } else if (key == "Environment") {
      take_variables(value, place);
    } else if (key == "WorkingDirectory") {
      unit_.working_folder = {value, place};
      unit_.others.push_back(place +
                             ": Quire's own unit needs none; the folder counts where it is in python_path.");
    } else if (key == "NoNewPrivileges") {
      unit_.settings["no_new_privileges"] = {value, place};
    } else if (key == "User" && value == "archivematica") {
      unit_.others.push_back(place + ": the unit of Quire has the same, and its Group=.");
    } else if (std::ranges::find(seen_to, key) != seen_to.end()) {
      unit_.others.push_back(place + ": the unit of Quire has what it needs of this.");
    } else if (!value.empty()) {
      unit_.others.push_back(place + ": write it in the unit of Quire (systemctl edit), " + key + "=" +
                             value + ".");
    }
  }

  void take_program(const std::string& command, const std::string& place) {
    const std::vector<std::string> words = list_items(command, ' ');
    if (words.empty()) return;
    // systemd has characters of its own before the path.
    const fs::path program = words.front().substr(std::min(words.front().find('/'), words.front().size()));
    std::error_code ignored;
    if (program.filename().string().starts_with("python")) {
      unit_.settings["python"] = {program, place};
    } else if (fs::exists(program.parent_path() / "python", ignored)) {
      unit_.settings["python"] = {program.parent_path() / "python", place};
    } else {
      unit_.others.push_back(place +
                             ": which Python it runs cannot be told from it; check the setting python.");
    }
  }

  void take_variables(const std::string& value, const std::string& place) {
    try {
      for (const std::string& word : split_shell_words(value)) {
        const std::size_t sign = word.find('=');
        if (sign == word.npos || sign == 0) continue;
        unit_.variables[word.substr(0, sign)] = {word.substr(sign + 1), place + ": " + word.substr(0, sign)};
      }
    } catch (const UnbalancedArguments&) {
      unit_.others.push_back(place +
                             ": its quotes are not closed; put the variables into a file of variables.");
    }
  }

  SiteUnit unit_;
};

}  // namespace

SiteUnit read_site_unit(const std::string& path) {
  UnitReader reader;
  reader.read(path);
  std::vector<std::string> additions;
  std::error_code error;
  for (fs::directory_iterator folder(path + ".d", error), end; !error && folder != end;
       folder.increment(error)) {
    if (folder->path().extension() == ".conf") additions.push_back(folder->path());
  }
  std::ranges::sort(additions);
  for (const std::string& addition : additions) reader.read(addition);
  return reader.finish(path);
}

}  // namespace quire
