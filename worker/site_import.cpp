// One room although it is long: what is read, what a layout adds and how it is written are one pass over one
// list.
#include "worker/site_import.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>

#include "worker/foreign_config.hpp"
#include "worker/ini_file.hpp"
#include "worker/installation.hpp"

namespace quire {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view white_space = " \t\r";

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(white_space);
  if (begin == text.npos) return "";
  return text.substr(begin, text.find_last_not_of(white_space) - begin + 1);
}

struct Line {
  std::string text;  // without the white space around it
  std::string where;
};

// The lines of a file that say something.
std::vector<Line> lines_of(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw ConfigurationError(path + ": cannot be read; correct its name.");
  std::vector<Line> lines;
  std::size_t number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    line = trimmed(line);
    if (line.empty() || line[0] == '#' || line[0] == ';') continue;
    lines.push_back({line, path + ":" + std::to_string(number)});
  }
  return lines;
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// Names of what nobody but the client scripts should see.
bool is_secret(const std::string& name) {
  return std::ranges::any_of(std::array{"PASSWORD", "SECRET", "TOKEN", "CREDENTIAL"},
                             [&](const char* part) { return name.find(part) != name.npos; });
}

// Whether client scripts get the variable from the worker's environment without being asked.
bool is_passed(const std::string& name) {
  const std::string passed = Settings().pass_environment;
  return std::ranges::any_of(list_items(passed, ' '), [&](const std::string& item) {
    return item.ends_with('*') ? name.starts_with(item.substr(0, item.size() - 1)) : name == item;
  });
}

class SiteImport {
 public:
  explicit SiteImport(SiteLayout layout) : layout_(layout) {}

  void read(const std::string& path) {
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) return read_folder(path);
    sources_.push_back(path);
    if (path.ends_with(".yml")) return take(atom_entries(path));
    const std::vector<Line> lines = lines_of(path);
    if (path.ends_with(".service")) return read_unit(lines);
    if (!lines.empty() && lines[0].text[0] == '[') return read_ini(path);
    for (const Line& line : lines) read_variable(line.text, line.where);
  }

  // After the last read(): the variables count more than the files, wherever they came.
  std::string text() {
    take_dialects();
    find_layout();
    add_layout();
    return written();
  }

 private:
  struct Value {
    std::string value;
    std::string where;
  };

  // ---- reading ----

  void read_folder(const std::string& path) {
    if (is_there(fs::path(path) / "config/gearman.yml")) {
      sources_.push_back(path);
      return take(atom_entries(path));
    }
    bool found = false;
    for (const char* name :
         {"archivematicaCommon/dbsettings", "MCPClient/clientConfig.conf", "worker.conf"}) {
      const fs::path file = fs::path(path) / name;
      if (!is_there(file)) continue;
      found = true;
      read(file);
    }
    if (const fs::path file = fs::path(path) / "clientConfig.conf"; is_there(file)) {
      others_.push_back(file.string() +
                        ": Archivematica itself does not read it in this place; it was left out.");
      found = true;
    }
    if (!found) {
      throw ConfigurationError(
          path +
          ": nothing in this folder is known; name /etc/archivematica, the root folder of an "
          "AtoM site, or the files themselves.");
    }
  }

  void read_ini(const std::string& path) {
    const IniFile file = read_ini_file(path);
    const auto has = [&](const std::string& name) {
      return std::ranges::any_of(file.sections,
                                 [&](const IniSection& section) { return section.name == name; });
    };
    if (has("supportedBatchCommands")) {
      set("client_modules", {fs::absolute(path).string(), path});
    } else if (has("MCPClient") || has("client")) {
      archivematica_files_ += path + ":";
    } else if (has("main") || has("db") || has("clamav")) {
      ccp_files_ += path + ":";
    } else {
      throw ConfigurationError(path +
                               ": this is not a file of Archivematica, CCP or AtoM; it has none of the "
                               "sections [MCPClient], [client], [main], [db] and [supportedBatchCommands].");
    }
  }

  // NAME=value, as files of variables and units have it.
  void read_variable(std::string text, const std::string& where) {
    if (text.starts_with("export ")) text = trimmed(text.substr(7));
    const std::size_t sign = text.find('=');
    if (sign == text.npos || sign == 0) {
      throw ConfigurationError(
          where +
          ": expected NAME=value; this is no file of variables, nor one of Archivematica, "
          "CCP or AtoM.");
    }
    std::string value = trimmed(text.substr(sign + 1));
    if (value.size() > 1 && (value[0] == '"' || value[0] == '\'') && value.back() == value[0]) {
      value = value.substr(1, value.size() - 2);
    }
    variables_[text.substr(0, sign)] = {value, where};
  }

  void read_unit(const std::vector<Line>& lines) {
    for (const Line& line : lines) {
      const std::size_t sign = std::min(line.text.find('='), line.text.size());
      const std::string key = trimmed(line.text.substr(0, sign));
      const std::string value = trimmed(line.text.substr(std::min(sign + 1, line.text.size())));
      if (key == "ExecStart") {
        const fs::path program = list_items(value, ' ').empty() ? "" : list_items(value, ' ').front();
        if (program.filename().string().starts_with("python")) {
          set("python", {program, line.where + ": ExecStart"});
        } else if (is_there(program.parent_path() / "python")) {
          set("python", {program.parent_path() / "python", line.where + ": ExecStart"});
        }
      } else if (key == "EnvironmentFile") {
        const std::string file = value.starts_with('-') ? value.substr(1) : value;
        if (is_there(file)) {
          read(file);
        } else {
          others_.push_back(line.where + ": EnvironmentFile: there is no " + file + ".");
        }
      } else if (key == "Environment" && value.find_first_of("\"' ") == value.npos) {
        read_variable(value, line.where);
      } else if (key == "User" || key == "Group") {
        others_.push_back(line.where + ": " + key + ": write it in the unit of Quire, " + key + "=" + value +
                          ".");
      } else if (key == "Environment") {
        others_.push_back(line.where +
                          ": Environment: several variables or quotes are not read; put them into a file "
                          "of variables.");
      }
    }
  }

  // ---- what it means ----

  void set(const std::string& name, Value value) {
    Settings tried;
    set_setting(tried, name, value.value, value.where);
    settings_[name] = std::move(value);
  }

  void take(const std::vector<ForeignEntry>& entries) {
    for (const ForeignEntry& entry : entries) {
      const auto variable = variables_.find(entry.where);
      const std::string where =
          variable == variables_.end() ? entry.where : variable->second.where + ": " + entry.where;
      switch (entry.use) {
        case ForeignUse::setting:
          set(entry.target, {entry.value, where});
          break;
        case ForeignUse::variable:
          environment_[entry.target] = {entry.value, where};
          break;
        case ForeignUse::scripts:
          scripts_.push_back(where);
          break;
        case ForeignUse::superfluous:
          others_.push_back(where + ": nothing here needs it.");
          break;
        case ForeignUse::unknown:
          others_.push_back(where + ": it is not known, and was left out.");
          break;
      }
    }
  }

  void take_dialects() {
    std::vector<std::string> lines;
    for (const auto& [name, value] : variables_) lines.push_back(name + "=" + value.value);
    const auto any = [&](const char* prefix) {
      return std::ranges::any_of(variables_,
                                 [&](const auto& each) { return each.first.starts_with(prefix); });
    };
    has_archivematica_ = !archivematica_files_.empty() || any("ARCHIVEMATICA_MCPCLIENT_");
    has_ccp_ = !ccp_files_.empty() || any("ARCHIVEMATICA_WORKER_");
    take(archivematica_entries(archivematica_files_, lines));
    take(ccp_entries(ccp_files_, lines));
    for (const auto& [name, value] : variables_) take_variable(name, value);
  }

  void take_variable(const std::string& name, const Value& value) {
    if (name.starts_with("ARCHIVEMATICA_MCPCLIENT_") || name.starts_with("ARCHIVEMATICA_WORKER_")) return;
    const Value told{value.value, value.where + ": " + name};
    if (name == "DJANGO_SETTINGS_MODULE") {
      environment_[name] = told;
    } else if (name == "PYTHONPATH") {
      set("python_path", told);
    } else if (name == "PATH") {
      take_path(told);
    } else if (is_passed(name)) {
      scripts_.push_back(told.where);
    } else if (is_secret(name)) {
      others_.push_back(told.where +
                        ": it may be a secret; set it in the environment of the worker, and name it in "
                        "pass_environment.");
    } else {
      environment_[name] = told;
    }
  }

  // The first folder that has a Python of its own is that of the scripts' virtual environment.
  void take_path(const Value& path) {
    scripts_.push_back(path.where);
    const std::vector<std::string> folders = list_items(path.value, ':');
    if (folders.empty() || settings_.contains("python")) return;
    if (folders.front().find("virtualenv") != std::string::npos ||
        folders.front().find("venv") != std::string::npos) {
      set("python", {folders.front() + "/python", path.where});
    }
  }

  void find_layout() {
    if (layout_ != SiteLayout::unknown) return;
    layout_where_ = "told by what was read";
    const auto django = environment_.find("DJANGO_SETTINGS_MODULE");
    if (has_ccp_) {
      layout_ = SiteLayout::ccp;
    } else if (!has_archivematica_) {
      layout_where_.clear();  // AtoM's site, or a module table alone
    } else if (django != environment_.end() && django->second.value.starts_with("archivematica.")) {
      layout_ = SiteLayout::package;
    } else if (django != environment_.end() || settings_.contains("client_scripts")) {
      layout_ = SiteLayout::folders;
    } else {
      layout_ = SiteLayout::package;
      layout_where_ = "assumed, since nothing tells it; --layout folders is that of Archivematica up to 1.17";
    }
  }

  void set_default(const std::string& name, const std::string& value, const std::string& layout) {
    if (!settings_.contains(name)) set(name, {value, "layout " + layout + ", " + layout_where_});
  }

  void set_variable_default(const std::string& name, const std::string& value, const std::string& layout) {
    environment_.try_emplace(name, Value{value, "layout " + layout + ", " + layout_where_});
  }

  // What the program's start would set, and every site therefore leaves out.
  void add_layout() {
    if (layout_where_.empty()) layout_where_ = "asked for";
    const fs::path shipped = fs::path(installation().client_modules).parent_path();
    const std::string am_python = "/usr/share/archivematica/virtualenvs/archivematica/bin/python";
    switch (layout_) {
      case SiteLayout::unknown:
        return;
      case SiteLayout::folders: {
        set_default("client_modules", shipped / "archivematica/client_modules.conf", "folders");
        set_default("client_scripts", "/usr/lib/archivematica/MCPClient/clientScripts/", "folders");
        set_default("client_assets_directory", "/usr/lib/archivematica/MCPClient/assets/", "folders");
        set_default("python", am_python, "folders");
        set_default("python_prefix", "clientScripts", "folders");
        set_default("python_path",
                    "/usr/lib/archivematica/MCPClient:/usr/lib/archivematica/MCPClient/clientScripts:"
                    "/usr/lib/archivematica/archivematicaCommon:/usr/share/archivematica/dashboard",
                    "folders");
        set_variable_default("DJANGO_SETTINGS_MODULE", "settings.common", "folders");
        set_default("mariadb_settings", "archivematica", "folders");
        return add_catalog("folders");
      }
      case SiteLayout::package: {
        set_default("client_modules", shipped / "archivematica/client_modules.conf", "package");
        set_default("python", am_python, "package");
        set_default("python_prefix", "archivematica.MCPClient.clientScripts", "package");
        set_variable_default("DJANGO_SETTINGS_MODULE", "archivematica.MCPClient.settings.common", "package");
        const std::string assets = packaged_assets(settings_.at("python").value);
        if (!assets.empty()) set_default("client_assets_directory", assets, "package");
        set_default("mariadb_settings", "archivematica", "package");
        return add_catalog("package");
      }
      case SiteLayout::ccp: {
        set_default("client_modules", shipped / "ccp/client_modules.conf", "ccp");
        set_default("python", "/src/.venv/bin/python", "ccp");
        set_default("python_prefix", "worker.clientScripts", "ccp");
        set_default("python_path", "/src", "ccp");
        const std::string folder = list_items(settings_.at("python_path").value, ':').front();
        set_default("client_assets_directory", folder + "/worker/assets/", "ccp");
        set_variable_default("DJANGO_SETTINGS_MODULE", "settings.common", "ccp");
        set_default("mariadb_settings", "ccp", "ccp");
        return add_catalog("ccp");
      }
    }
  }

  // The assets in the virtual environment of an interpreter; empty where there are none.
  static std::string packaged_assets(const fs::path& python) {
    const fs::path libraries = python.parent_path().parent_path() / "lib";
    std::error_code error;
    for (fs::directory_iterator folder(libraries, error), end; !error && folder != end;
         folder.increment(error)) {
      const fs::path assets = folder->path() / "site-packages/archivematica/MCPClient/assets";
      if (is_there(assets)) return assets.string() + "/";
    }
    return "";
  }

  void add_catalog(const std::string& layout) {
    if (const auto assets = settings_.find("client_assets_directory"); assets != settings_.end()) {
      set_variable_default("XML_CATALOG_FILES", assets->second.value + "catalog/catalog.xml", layout);
    } else {
      others_.push_back(
          "client_assets_directory, and XML_CATALOG_FILES in [environment]: the folder was not found beside "
          "the "
          "interpreter; set them where it is (…/site-packages/archivematica/MCPClient/assets/).");
    }
  }

  // ---- writing ----

  static void write_list(std::string& text, const std::string& head, std::vector<std::string> lines) {
    if (lines.empty()) return;
    std::ranges::sort(lines);
    lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
    text += "\n# " + head + "\n";
    for (const std::string& line : lines) text += "#   " + line + "\n";
  }

  std::string written() const {
    std::string text = "# Made by `quire import-config` of:\n";
    for (const std::string& source : sources_) text += "#   " + source + "\n";
    text +=
        "# Settings that are not here have their defaults: quire --print-configuration tells of "
        "all.\n\n[quire]\n";
    for (const SettingDescription& setting : setting_descriptions()) {
      const auto value = settings_.find(setting.name);
      if (value == settings_.end()) continue;
      text += "\n# " + value->second.where + "\n" + setting.name + " = " + value->second.value + "\n";
    }
    if (!environment_.empty()) text += "\n[environment]\n";
    for (const auto& [name, value] : environment_)
      text += "\n# " + value.where + "\n" + name + " = " + value.value + "\n";
    write_list(text,
               "The client scripts read these themselves, from their program's own files and from the "
               "variables that the "
               "worker is\n# started with (EnvironmentFile= in its unit):",
               scripts_);
    write_list(text, "Without a counterpart:", others_);
    return text;
  }

  SiteLayout layout_;
  std::string layout_where_;
  std::vector<std::string> sources_;
  std::string archivematica_files_;  // each with a colon after it
  std::string ccp_files_;
  bool has_archivematica_ = false;
  bool has_ccp_ = false;
  std::map<std::string, Value> variables_;
  std::map<std::string, Value> settings_;
  std::map<std::string, Value> environment_;
  std::vector<std::string> scripts_;
  std::vector<std::string> others_;
};

}  // namespace

std::string imported_configuration(const std::vector<std::string>& paths, SiteLayout layout) {
  SiteImport import(layout);
  for (const std::string& path : paths) import.read(path);
  return import.text();
}

}  // namespace quire
