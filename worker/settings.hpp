// Every setting of the worker, its default and its meaning.
//
// A setting has one name: in the file (section [quire]), in the environment (QUIRE_ and the name in capitals)
// and on the command line (--the-name). Later sources win in this order: default, file, environment, command
// line. settings.cpp has the one table from which files, options, help and documentation come.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace quire {

// A setting that cannot be used; what() says which, where (file and line, variable, option) and what to do.
struct ConfigurationError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// What section [function:NAME] may say about one function.
struct FunctionSettings {
  std::optional<std::size_t> concurrent_instances;  // instead of what the script says
};

struct Settings {
  std::string gearman_servers = "127.0.0.1:4730";  // comma-separated host:port
  std::string client_modules;                      // the module table; empty: the one that ships
  std::string client_scripts;                      // folders, colon-separated; empty: the one that ships
  std::string record;                              // the SQLite file; empty: STATE_DIRECTORY/record.sqlite
  std::size_t workers = 0;                         // batches in hand; 0: two per processor
  std::size_t max_processes = 0;                   // running subsets; 0: one per processor
  std::string shared_directory = "/var/archivematica/sharedDirectory/";
  std::string client_assets_directory = "/usr/lib/archivematica/MCPClient/assets/";
  bool capture_client_script_output = true;
  std::string python = "/usr/bin/python3";
  std::string python_path;    // folders, colon-separated, put before Python's own
  std::string python_prefix;  // import prefix; empty for plain files
  std::string state_directory;  // empty: $XDG_STATE_HOME/quire or ~/.local/state/quire; root: /var/lib/quire
  std::string pass_environment =
      "PATH HOME USER LOGNAME SHELL LANG LANGUAGE LC_* TZ TMPDIR PYTHON* DJANGO_* ARCHIVEMATICA_* XML_CATALOG_FILES";
  std::size_t host_start_limit = 300;  // seconds in which a host must have loaded its module
  std::size_t host_idle_time = 600;    // seconds after which an idle host is ended; 0: never
  std::size_t host_subsets = 10000;    // subsets after which a host is replaced; 0: never
  std::string log_level = "info";
  std::map<std::string, std::string> environment;             // section [environment]: set for the children
  std::map<std::string, FunctionSettings> functions;          // by function in lower case

  // The defaults that depend on the machine, put in: processors, folders of this installation, state folder.
  // After this no path is empty and no number of slots is 0.
  void complete();
};

}  // namespace quire
