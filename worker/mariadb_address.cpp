#include "worker/mariadb_address.hpp"

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <map>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "worker/ini_file.hpp"
#include "worker/setting_values.hpp"

namespace quire {
namespace {

// The keys of a controller's section, with the values that hold where nobody gives them.
using Values = std::map<std::string, std::string>;

constexpr std::array keys = {"engine", "user", "password", "host", "port", "database"};

struct Controller {
  std::string name;                // the word of mariadb_settings
  std::string section;             // of its files
  std::string prefix;              // of its variables: PREFIX_SECTION_KEY or PREFIX_KEY
  std::vector<std::string> files;  // the later ones count more; any of them may be missing
  Values defaults;
};

const std::array controllers = {
    Controller{
        .name = "archivematica",
        .section = "client",
        .prefix = "ARCHIVEMATICA_MCPCLIENT",
        .files = {"/etc/archivematica/archivematicaCommon/dbsettings", "/etc/archivematica/clientConfig.conf",
                  "/etc/archivematica/MCPClient/clientConfig.conf"},
        .defaults = {{"user", "archivematica"},
                     {"password", "demo"},
                     {"host", "localhost"},
                     {"port", "3306"},
                     {"database", "MCP"},
                     {"engine", "django.db.backends.mysql"}}},
    Controller{.name = "ccp",
               .section = "db",
               .prefix = "ARCHIVEMATICA_WORKER",
               .files = {"/etc/archivematica/worker.conf"},
               .defaults = {{"user", "archivematica"},
                            {"password", "demo"},
                            {"host", "localhost"},
                            {"port", "3306"},
                            {"database", "CCP"},
                            {"engine", "django.db.backends.mysql"}}},
};

bool exists(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0;
}

// A value as Python's configparser understands it: "%%" is a percent sign, and "%(name)s" another value.
std::string interpolated(const IniFile& file, const IniEntry& entry) {
  std::string value;
  for (std::size_t i = 0; i < entry.value.size(); ++i) {
    if (entry.value[i] == '%' && entry.value.substr(i, 2) != "%%") {
      throw ConfigurationError(file.at(entry.line) + ": " + entry.key +
                               ": a single % stands in the value; write %% for a percent sign (references "
                               "such as %(name)s are not supported).");
    }
    if (entry.value[i] == '%') ++i;
    value += entry.value[i];
  }
  return value;
}

// Puts in what the section of a file says; false where the file has no such section.
bool read_section(const std::string& path, const std::string& section, Values& values) {
  const IniFile file = read_ini_file(path);
  bool found = false;
  for (const IniSection& each : file.sections) found = found || each.name == section;
  for (const IniEntry& entry : file.entries) {
    if (entry.section == section) values[lower_case(entry.key)] = interpolated(file, entry);
  }
  return found;
}

const std::string* variable(const Settings& settings, const std::string& name, std::string& buffer) {
  const auto set = settings.environment.find(name);
  if (set != settings.environment.end()) return &set->second;
  const char* const value = std::getenv(name.c_str());
  if (value == nullptr) return nullptr;
  buffer = value;
  return &buffer;
}

std::string upper_case(std::string text) {
  for (char& letter : text) {
    if (letter >= 'a' && letter <= 'z') letter -= 'a' - 'A';
  }
  return text;
}

// An empty variable counts as none, as it does for the controller.
void read_variables(const Settings& settings, const Controller& controller, Values& values) {
  for (const std::string key : keys) {
    std::string buffer;
    for (const std::string& name : {controller.prefix + "_" + upper_case(controller.section + "_" + key),
                                    controller.prefix + "_" + upper_case(key)}) {
      const std::string* const value = variable(settings, name, buffer);
      if (value == nullptr || value->empty()) continue;
      values[key] = *value;
      break;
    }
  }
}

// What mariadb_settings leads to: the files in their order, and then the variables.
Values read_sources(const Settings& settings) {
  Values values;
  std::vector<const Controller*> named;
  for (const std::string& item : list_items(settings.mariadb_settings, ':')) {
    const Controller* known = nullptr;
    for (const Controller& each : controllers) {
      if (each.name == item) known = &each;
    }
    if (known != nullptr) {
      named.push_back(known);
      for (const auto& [key, value] : known->defaults) values[key] = value;
      for (const std::string& path : known->files) {
        if (exists(path)) read_section(path, known->section, values);
      }
      continue;
    }
    if (!exists(item)) {
      throw ConfigurationError("mariadb_settings: " + item +
                               " is no file that can be found: name one, or archivematica, or ccp.");
    }
    bool found = false;
    for (const Controller& each : controllers) found = read_section(item, each.section, values) || found;
    if (!found) {
      throw ConfigurationError(
          "mariadb_settings: " + item +
          " has neither a section [client] nor a section [db]; name the file that has the "
          "address of the controller's database.");
    }
  }
  for (const Controller* controller : named) read_variables(settings, *controller, values);
  return values;
}

// The first line of the file.
std::string read_password(const std::string& path) {
  errno = 0;
  std::ifstream file(path);
  std::string password;
  if (!std::getline(file, password)) {
    throw ConfigurationError("mariadb_password_file: " + path + " cannot be read: " +
                             (errno == 0 ? "it is empty" : std::generic_category().message(errno)) + ".");
  }
  if (password.ends_with('\r')) password.pop_back();
  return password;
}

}  // namespace

std::string MariadbAddress::describe() const {
  return "database " + database + " at " +
         (socket.empty() ? (host.empty() ? "localhost" : host) + ":" + std::to_string(port) : socket);
}

const std::vector<std::string>& controller_files(const std::string& controller) {
  for (const Controller& each : controllers) {
    if (each.name == controller) return each.files;
  }
  throw std::invalid_argument(controller);
}

std::optional<MariadbAddress> mariadb_address(const Settings& settings) {
  Values values = read_sources(settings);
  if (!settings.mariadb_host.empty()) values["host"] = settings.mariadb_host;
  if (!settings.mariadb_user.empty()) values["user"] = settings.mariadb_user;
  if (!settings.mariadb_database.empty()) values["database"] = settings.mariadb_database;
  if (!settings.mariadb_password_file.empty()) {
    values["password"] = read_password(settings.mariadb_password_file);
  }
  if (values["database"].empty()) {
    if (values["host"].empty() && values["user"].empty() && settings.mariadb_socket.empty()) return {};
    throw ConfigurationError(
        "mariadb_database: the settings name a server and no database; set it, such as MCP.");
  }
  const std::string& engine = values["engine"];
  if (!engine.empty() && engine.find("mysql") == engine.npos && engine.find("mariadb") == engine.npos) {
    throw ConfigurationError("mariadb_settings: the controller's database has the engine " + engine +
                             ", and only MySQL and MariaDB are supported; leave mariadb_settings empty.");
  }
  MariadbAddress address{.host = values["host"],
                         .socket = settings.mariadb_socket,
                         .user = values["user"],
                         .password = values["password"],
                         .database = values["database"]};
  // Django takes a host that is a path for a socket.
  if (address.socket.empty() && address.host.starts_with('/')) address.socket = address.host;
  try {
    const std::string& port = values["port"];
    if (settings.mariadb_port != 0) {
      address.port = static_cast<std::uint16_t>(settings.mariadb_port);
    } else if (!port.empty()) {
      address.port = static_cast<std::uint16_t>(number_value(port, {.least = 1, .most = 65535}));
    }
  } catch (const std::invalid_argument& error) {
    throw ConfigurationError(std::string("mariadb_settings: the port of the controller's database: ") +
                             error.what());
  }
  return address;
}

}  // namespace quire
