#include "worker/foreign_config.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>

#include "worker/foreign_tables.hpp"
#include "worker/ini_file.hpp"
#include "worker/yaml_file.hpp"

namespace quire {
namespace {

namespace fs = std::filesystem;

// Instead of files: nothing but the variables.
constexpr const char* environment_only = "environment";

const ForeignKey* find_key(std::span<const ForeignKey> keys, const std::string& section,
                           const std::string& option) {
  const auto found = std::ranges::find_if(keys, [&](const ForeignKey& key) {
    return section == key.section && lower_case(key.option) == lower_case(option);
  });
  return found == keys.end() ? nullptr : &*found;
}

// A value that is empty says nothing: there as here, the default counts.
void add(std::vector<ForeignEntry>& entries, const ForeignKey* key, const std::string& where,
         std::string value) {
  if (key == nullptr) {
    entries.push_back({where, ForeignUse::unknown, {}, {}});
    return;
  }
  const bool has_value = key->use == ForeignUse::setting || key->use == ForeignUse::variable;
  if (has_value && value.empty()) return;
  if (key->ends_with_slash && !value.ends_with('/')) value += '/';
  entries.push_back({where, key->use, key->target, has_value ? std::move(value) : ""});
}

// ---- INI files and variables: Archivematica and CCP ----

// What Python's configparser makes of a value: %% is a percent sign, and %(name)s another value.
std::string plain_value(const std::string& value, const std::string& where) {
  std::string plain;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '%' && i + 1 < value.size() && value[i + 1] == '%')
      ++i;
    else if (value[i] == '%' && i + 1 < value.size() && value[i + 1] == '(') {
      throw ConfigurationError(where +
                               ": a value that is made of others, %(name)s, is not supported; write it out.");
    }
    plain += value[i];
  }
  return plain;
}

void read_file(const ForeignDialect& dialect, const std::string& path, std::vector<ForeignEntry>& entries) {
  const IniFile file = read_ini_file(path);
  for (const IniEntry& entry : file.entries) {
    const ForeignKey* const key = find_key(dialect.keys, entry.section, entry.key);
    const std::string where = file.at(entry.line) + ": " + entry.key;
    add(entries, key, where, key == nullptr ? "" : plain_value(entry.value, where));
  }
}

// The section's own variable counts more than the one without a section, and an empty one as if it were not
// there. A name without a section may mean keys of several.
void read_variables(const ForeignDialect& dialect, const std::vector<std::string>& variables,
                    std::vector<ForeignEntry>& entries) {
  std::vector<ForeignEntry> with_section;
  for (const std::string& variable : variables) {
    if (!variable.starts_with(dialect.prefix)) continue;
    const std::string name = variable.substr(0, variable.find('='));
    const std::string value = variable.substr(std::min(name.size() + 1, variable.size()));
    const std::string rest = lower_case(name.substr(std::string(dialect.prefix).size()));
    bool is_known = false;
    for (const ForeignKey& key : dialect.keys) {
      const bool has_section = rest == lower_case(std::string(key.section) + "_" + key.option);
      if (!has_section && rest != lower_case(key.option)) continue;
      is_known = true;
      if (!value.empty()) add(has_section ? with_section : entries, &key, name, value);
    }
    if (!is_known) add(entries, nullptr, name, "");
  }
  entries.insert(entries.end(), with_section.begin(), with_section.end());
}

// Of each the last one counts. The old workers have metrics only where a port is given, and at every address
// where none is.
void join_metrics_address(std::vector<ForeignEntry>& entries) {
  std::optional<ForeignEntry> host;
  std::optional<ForeignEntry> port;
  for (const ForeignEntry& entry : entries) {
    if (entry.target == foreign::bind_host) host = entry;
    if (entry.target == foreign::bind_port) port = entry;
  }
  std::erase_if(entries, [](const ForeignEntry& entry) {
    return entry.target == foreign::bind_host || entry.target == foreign::bind_port;
  });
  if (port) {
    std::string address = host ? host->value : "0.0.0.0";
    if (address.find(':') != address.npos && address[0] != '[') address = "[" + address + "]";
    entries.push_back({port->where, ForeignUse::setting, "metrics_address", address + ":" + port->value});
  } else if (host) {
    entries.push_back({host->where, ForeignUse::superfluous, {}, {}});
  }
}

std::vector<ForeignEntry> read_dialect(const ForeignDialect& dialect, const std::string& list,
                                       const std::vector<std::string>& variables) {
  std::vector<ForeignEntry> entries;
  for (const std::string& path : list_items(list, ':')) {
    if (path != environment_only) read_file(dialect, path, entries);
  }
  read_variables(dialect, variables, entries);
  join_metrics_address(entries);
  return entries;
}

// ---- AtoM ----

// The files of a site, given its root folder: symfony lets those of the application count more.
std::vector<std::string> files_of_site(const fs::path& root) {
  std::vector<std::string> files;
  for (const char* name : {"config/gearman.yml", "config/app.yml", "apps/qubit/config/gearman.yml",
                           "apps/qubit/config/app.yml"}) {
    std::error_code ignored;
    if (fs::is_regular_file(root / name, ignored)) files.push_back(root / name);
  }
  if (files.empty()) {
    throw ConfigurationError(root.string() +
                             ": this is not the root folder of an AtoM site; it has no config/gearman.yml.");
  }
  return files;
}

// The root folder of the site that has this file; empty where the file is not in its place.
std::string root_of(const fs::path& file) {
  fs::path folder = fs::absolute(file).lexically_normal().parent_path();
  if (folder.filename() != "config") return "";
  folder = folder.parent_path();
  if (folder.parent_path().filename() == "apps") folder = folder.parent_path().parent_path();
  std::error_code error;
  const fs::path real = fs::canonical(folder, error);
  return error ? folder.string() : real.string();
}

// symfony has a section for each environment over one that is for all; the workers' is called worker.
constexpr std::array atom_sections = {"default", "all", "worker"};

void read_atom_file(const std::string& path, std::vector<ForeignEntry>& entries) {
  const std::vector<YamlEntry> lines = read_yaml_file(path);
  for (const YamlEntry& line : lines) {
    const bool is_read =
        !line.path.empty() && std::ranges::find(atom_sections, line.path[0]) != atom_sections.end();
    std::string name;
    for (const std::string& part : line.path) {
      if (!name.empty()) name += '.';
      name += part;
    }
    if (!is_read) add(entries, nullptr, path + ":" + std::to_string(line.line) + ": " + name, "");
  }
  for (const std::string section : atom_sections) {
    std::string servers;  // there may be several, each with a name
    std::string servers_where;
    for (const YamlEntry& line : lines) {
      if (line.path.size() < 2 || line.path[0] != section) continue;
      const std::string& name = line.path[1];
      const std::string where = path + ":" + std::to_string(line.line) + ": " + name;
      if (name != "servers") {
        add(entries, find_key(foreign::atom_keys, "", name), where, line.value);
        continue;
      }
      if (!servers.empty()) servers += ',';
      servers += line.value;
      if (servers_where.empty()) servers_where = where;
    }
    if (!servers.empty()) add(entries, find_key(foreign::atom_keys, "", "servers"), servers_where, servers);
  }
}

// ---- our settings ----

void apply(Settings& settings, const std::vector<ForeignEntry>& entries, const std::string& program) {
  for (const ForeignEntry& entry : entries) {
    switch (entry.use) {
      case ForeignUse::setting:
        set_setting(settings, entry.target, entry.value, entry.where);
        break;
      case ForeignUse::variable:
        settings.environment[entry.target] = entry.value;
        break;
      case ForeignUse::unknown:
        settings.remarks.push_back(entry.where + ": nothing is known of this in " + program +
                                   "'s configuration; it changes nothing here.");
        break;
      case ForeignUse::scripts:
      case ForeignUse::superfluous:
        break;
    }
  }
}

}  // namespace

std::vector<ForeignEntry> archivematica_entries(const std::string& list,
                                                const std::vector<std::string>& variables) {
  return read_dialect(foreign::archivematica, list, variables);
}

std::vector<ForeignEntry> ccp_entries(const std::string& list, const std::vector<std::string>& variables) {
  return read_dialect(foreign::ccp, list, variables);
}

std::vector<ForeignEntry> atom_entries(const std::string& list) {
  std::vector<ForeignEntry> entries;
  std::string root;
  for (const std::string& path : list_items(list, ':')) {
    std::error_code ignored;
    const bool is_site = fs::is_directory(path, ignored);
    const std::vector<std::string> files = is_site ? files_of_site(path) : std::vector<std::string>{path};
    for (const std::string& file : files) read_atom_file(file, entries);
    if (root.empty()) root = root_of(files.front());
  }
  if (!root.empty()) {
    entries.push_back({root + " (the site's root folder)", ForeignUse::setting, "workers_key_root", root});
  }
  return entries;
}

Settings foreign_settings(const Settings& named, const std::vector<std::string>& variables) {
  Settings settings;
  if (!named.atom_config.empty()) {
    apply(settings, atom_entries(named.atom_config), "AtoM");
    if (settings.workers_key_root.empty() && named.workers_key_root.empty()) {
      throw ConfigurationError(
          "atom_config: " + named.atom_config +
          " is not in a site's folder config, so the site's root folder is not known, which "
          "AtoM's job names begin with; set workers_key_root.");
    }
  }
  if (!named.archivematica_config.empty()) {
    apply(settings, archivematica_entries(named.archivematica_config, variables), "Archivematica");
  }
  if (!named.ccp_config.empty()) apply(settings, ccp_entries(named.ccp_config, variables), "CCP");
  return settings;
}

}  // namespace quire
