#include "worker/site_statements.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

#include "worker/foreign_config.hpp"
#include "worker/ini_file.hpp"
#include "worker/mariadb_address.hpp"
#include "worker/site_unit.hpp"
#include "worker/variables_file.hpp"

namespace quire {
namespace {

namespace fs = std::filesystem;

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

std::string absolute(const std::string& path) { return fs::absolute(path).lexically_normal().string(); }

// Names of what nobody but the client scripts should see, and addresses with a password in them.
bool is_secret(const std::string& name, const std::string& value) {
  if (value.find("://") != value.npos && value.find('@') != value.npos) return true;
  return std::ranges::any_of(std::array{"PASSWORD", "SECRET", "TOKEN", "CREDENTIAL", "_KEY"},
                             [&](const char* part) { return name.find(part) != name.npos; });
}

bool is_passed(const std::string& name) {
  return std::ranges::any_of(list_items(site_environment(), ' '), [&](const std::string& item) {
    return item.ends_with('*') ? name.starts_with(item.substr(0, item.size() - 1)) : name == item;
  });
}

class SiteReader {
 public:
  void read(const std::string& path) {
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) return read_folder(path);
    if (!std::ifstream(path))
      throw ConfigurationError(path + ": cannot be read; correct its name, or let this user read it.");
    // A unit names the file of variables that is named beside it, too.
    if (std::ranges::find(site_.sources, path) != site_.sources.end()) return;
    site_.sources.push_back(path);
    if (path.ends_with(".yml")) return take(atom_entries(path));
    if (path.ends_with(".service")) return read_unit(path);
    if (begins_with_section(path)) return read_ini(path);
    read_variables(path);
  }

  // After the last read(): variables count more than files, and those of files more than those of units,
  // wherever they came.
  SiteStatements finish() {
    for (const auto& [file, line] : missing_files_) {
      const bool was_read = std::ranges::any_of(site_.sources, [&](const std::string& source) {
        return fs::path(source).filename() == fs::path(file).filename();
      });
      if (!was_read)
        site_.warnings.push_back(line + ": EnvironmentFile: there is no " + file +
                                 "; name it, wherever it is.");
    }
    variables_.insert(unit_variables_.begin(), unit_variables_.end());
    std::vector<std::string> lines;
    for (const auto& [name, statement] : variables_) {
      lines.push_back(name + "=" + statement.value);
      if (name.starts_with("ARCHIVEMATICA_MCPCLIENT_")) tell(site_.archivematica, statement.where);
      if (name.starts_with("ARCHIVEMATICA_WORKER_")) tell(site_.ccp, statement.where);
      if (!statement.value.empty() && (name.starts_with("ARCHIVEMATICA_MCPCLIENT_CLIENT_") ||
                                       name.starts_with("ARCHIVEMATICA_WORKER_DB_")))
        tell(site_.database, statement.where);
    }
    take(archivematica_entries(archivematica_files_, lines));
    take(ccp_entries(ccp_files_, lines));
    for (const auto& [name, statement] : variables_) take_variable(name, statement);
    return std::move(site_);
  }

 private:
  static void tell(std::string& what, const std::string& where) {
    if (what.empty()) what = where;
  }

  static bool begins_with_section(const std::string& path) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
      const std::size_t begin = line.find_first_not_of(" \t\r");
      if (begin == line.npos || line[begin] == '#' || line[begin] == ';') continue;
      return line[begin] == '[';
    }
    return false;
  }

  void read_folder(const std::string& path) {
    if (is_there(fs::path(path) / "config/gearman.yml")) {
      site_.sources.push_back(path);
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
    std::string misplaced;
    for (const char* name : {"clientConfig.conf", "dbsettings"}) {
      if (const fs::path file = fs::path(path) / name; is_there(file)) misplaced = file;
    }
    if (found) {
      if (!misplaced.empty())
        site_.others.push_back(misplaced + ": MCPClient does not read it in this place; it was left out.");
      return;
    }
    throw ConfigurationError(
        path +
        ": none of the files is in this folder that were looked for: archivematicaCommon/dbsettings and "
        "MCPClient/clientConfig.conf (Archivematica), worker.conf (CCP), config/gearman.yml (AtoM). Name "
        "/etc/archivematica, the root folder of an AtoM site, or the files themselves" +
        (misplaced.empty() ? "." : ", such as " + misplaced + "."));
  }

  void read_ini(const std::string& path) {
    const IniFile file = read_ini_file(path);
    const auto has = [&](const std::string& name) {
      return std::ranges::any_of(file.sections,
                                 [&](const IniSection& section) { return section.name == name; });
    };
    if (has("supportedBatchCommands")) {
      site_.set("client_modules", {absolute(path), path});
    } else if (has("MCPClient") || has("client")) {
      archivematica_files_ += path + ":";
      tell(site_.archivematica, path);
      if (has("client")) note_database(path, "archivematica", "[client]");
    } else if (has("main") || has("db") || has("clamav")) {
      ccp_files_ += path + ":";
      tell(site_.ccp, path);
      if (has("db")) note_database(path, "ccp", "[db]");
    } else {
      throw ConfigurationError(path +
                               ": this is not a file of Archivematica, CCP or AtoM; it has none of the "
                               "sections [MCPClient], [client], [main], [db] and [supportedBatchCommands].");
    }
  }

  void note_database(const std::string& path, const std::string& controller, const std::string& section) {
    tell(site_.database, path + ": " + section);
    if (!is_own_file(controller, path)) site_.database_files.push_back(absolute(path));
  }

  static bool is_own_file(const std::string& controller, const std::string& path) {
    return std::ranges::any_of(controller_files(controller),
                               [&](const std::string& own) { return own == absolute(path); });
  }

  void read_variables(const std::string& path) {
    try {
      for (const FileVariable& variable : read_variables_file(path)) {
        const std::string where = path + ":" + std::to_string(variable.line);
        variables_[variable.name] = {variable.value, where + ": " + variable.name};
      }
      site_.variable_files.push_back(path);
    } catch (const ConfigurationError& error) {
      throw ConfigurationError(std::string(error.what()) +
                               " It is no file of Archivematica, CCP or AtoM either.");
    }
  }

  void read_unit(const std::string& path) {
    SiteUnit unit = read_site_unit(path);
    for (const auto& [file, where] : unit.variable_files) {
      if (is_there(file)) {
        read(absolute(file));
      } else {
        missing_files_.emplace_back(file, where);
      }
    }
    for (auto& [name, statement] : unit.variables) unit_variables_[name] = std::move(statement);
    for (auto& [setting, statement] : unit.settings) site_.set(setting, std::move(statement));
    if (!unit.working_folder.value.empty()) site_.working_folder = std::move(unit.working_folder);
    for (std::string& sentence : unit.others) site_.others.push_back(std::move(sentence));
  }

  // ---- what it means ----

  // Client scripts read files in their own places only.
  bool is_read_there(const std::string& where) const {
    for (const auto& [files, controller] :
         {std::pair(archivematica_files_, "archivematica"), std::pair(ccp_files_, "ccp")}) {
      for (const std::string& file : list_items(files, ':')) {
        if (where.starts_with(file + ":")) return is_own_file(controller, file);
      }
    }
    return true;
  }

  void take(const std::vector<ForeignEntry>& entries) {
    for (const ForeignEntry& entry : entries) {
      const auto variable = variables_.find(entry.where);
      const std::string where = variable == variables_.end() ? entry.where : variable->second.where;
      switch (entry.use) {
        case ForeignUse::setting:
          site_.set(entry.target, {entry.value, where});
          break;
        case ForeignUse::variable:
          site_.environment[entry.target] = {entry.value, where};
          break;
        case ForeignUse::scripts:
          (is_read_there(where) ? site_.scripts : site_.elsewhere).push_back(where);
          break;
        case ForeignUse::superfluous:
          site_.others.push_back(where + ": nothing here needs it.");
          break;
        case ForeignUse::unknown:
          site_.others.push_back(where + ": it is not known, and was left out.");
          break;
      }
    }
  }

  void take_variable(const std::string& name, const SiteStatement& statement) {
    if (name.starts_with("ARCHIVEMATICA_MCPCLIENT_") || name.starts_with("ARCHIVEMATICA_WORKER_")) return;
    if (name == "DJANGO_SETTINGS_MODULE") {
      site_.environment[name] = statement;
    } else if (name == "PYTHONPATH") {
      site_.search_path = statement;
    } else if (name == "PATH") {
      take_path(statement);
    } else if (is_passed(name)) {
      site_.scripts.push_back(statement.where);
    } else if (is_secret(name, statement.value)) {
      site_.others.push_back(statement.where +
                             ": it may be a secret; set it in the environment of the worker, and name it in "
                             "pass_environment.");
    } else if (statement.value.find('\n') != statement.value.npos) {
      site_.others.push_back(statement.where +
                             ": a value of several lines; name the variable in pass_environment.");
    } else {
      site_.environment[name] = statement;
    }
  }

  // The first folder may be that of the scripts' virtual environment.
  void take_path(const SiteStatement& path) {
    site_.scripts.push_back(path.where);
    const std::vector<std::string> folders = list_items(path.value, ':');
    if (folders.empty() || site_.settings.contains("python")) return;
    if (folders.front().find("virtualenv") != std::string::npos ||
        folders.front().find("venv") != std::string::npos) {
      site_.set("python", {(fs::path(folders.front()) / "python").string(), path.where});
    }
  }

  SiteStatements site_;
  std::string archivematica_files_;  // each with a colon after it
  std::string ccp_files_;
  std::map<std::string, SiteStatement> variables_;
  std::map<std::string, SiteStatement> unit_variables_;
  std::vector<std::pair<std::string, std::string>> missing_files_;  // each with the line that names it
};

}  // namespace

void SiteStatements::set(const std::string& setting, SiteStatement statement) {
  Settings tried;
  set_setting(tried, setting, statement.value, statement.where);
  settings[setting] = std::move(statement);
}

SiteStatements read_site(const std::vector<std::string>& paths) {
  SiteReader reader;
  // The configuration will be elsewhere, and its comments are to name the files all the same.
  for (const std::string& path : paths) reader.read(absolute(path));
  return reader.finish();
}

const std::string& site_environment() {
  static const std::string names = Settings().pass_environment +
                                   " REQUESTS_CA_BUNDLE SSL_CERT_FILE SSL_CERT_DIR "
                                   "METADATA_XML_VALIDATION_SETTINGS_FILE HTTP_PROXY HTTPS_PROXY NO_PROXY "
                                   "http_proxy https_proxy no_proxy";
  return names;
}

}  // namespace quire
