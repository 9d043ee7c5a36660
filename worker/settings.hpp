// Every setting of the worker, its default and its meaning.
//
// A setting has one name: in the file (section [quire]), in the environment (QUIRE_ and the name in capitals)
// and on the command line (--the-name). Later sources win in this order: default, what the configuration of
// another program says (foreign_config.hpp), file, environment, command line. settings_table.hpp has the one table from which files, options, help and documentation come.
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
  std::optional<std::size_t> time_limit;            // these instead of the ones of section [quire]
  std::optional<std::size_t> grace_period;
  std::optional<std::size_t> memory_limit;
  std::optional<std::size_t> open_files_limit;
  std::optional<std::size_t> process_limit;
  std::optional<std::size_t> output_limit;
};

// The setting `record` of a worker that keeps none.
inline constexpr const char* no_record = "none";

struct Settings {
  std::string gearman_servers = "127.0.0.1:4730";  // comma-separated host:port
  std::string workers_key;                         // what stands before every function on the job server
  std::string workers_key_root;                    // root folder of an AtoM site: the key in AtoM's form
  std::string client_modules;                      // module tables, colon-separated; empty: the one that ships
  std::string client_scripts;                      // folders, colon-separated; empty: the one that ships
  std::string record;                              // the SQLite file; empty: STATE_DIRECTORY/record.sqlite; or none
  std::string mariadb_settings;                    // whence the address of the controller's database is read
  std::string mariadb_database;                    // the address itself; empty, as the others: not given
  std::string mariadb_host;
  std::size_t mariadb_port = 0;  // 0: 3306
  std::string mariadb_socket;
  std::string mariadb_user;
  std::string mariadb_password_file;
  bool exclusive_across_hosts = false;             // scripts without concurrent_instances, by a lock there
  std::size_t workers = 0;                         // batches in hand; 0: two per processor + 2
  std::size_t max_processes = 0;                   // running subsets; 0: one per processor
  std::string shared_directory = "/var/archivematica/sharedDirectory/";
  std::string client_assets_directory = "/usr/lib/archivematica/MCPClient/assets/";
  bool capture_client_script_output = true;
  std::string python = "/usr/bin/python3";
  std::string python_path;      // folders, colon-separated, put before Python's own
  std::string python_prefix;    // import prefix; empty for plain files
  std::string state_directory;  // empty: $XDG_STATE_HOME/quire or ~/.local/state/quire; root: /var/lib/quire
  std::string pass_environment =
      "PATH HOME USER LOGNAME SHELL LANG LANGUAGE LC_* TZ TMPDIR PYTHON* DJANGO_* ARCHIVEMATICA_* "
      "XML_CATALOG_FILES";
  std::size_t host_start_limit = 300;   // seconds in which a host must have loaded its module
  std::size_t host_idle_time = 600;     // seconds after which an idle host is ended; 0: never
  std::size_t host_subsets = 10000;     // subsets after which a host is replaced; 0: never
  std::size_t time_limit = 0;           // seconds for which a subset may run; 0, as below: no limit
  std::size_t grace_period = 10;        // seconds between TERM and KILL
  std::size_t memory_limit = 0;         // MiB of address space of each process of a subset
  std::size_t open_files_limit = 0;     // of each process of a subset
  std::size_t process_limit = 0;        // processes of a subset at once
  std::size_t output_limit = 16384;     // KiB of each text of a task
  std::size_t job_server_timeout = 30;  // seconds without a word before a job server is taken for gone
  std::size_t shutdown_timeout = 60;    // seconds in which batches in hand may end after the first TERM
  bool fail_interrupted = false;        // answer batches that a stop cuts short, instead of leaving them
  std::size_t max_attempts = 2;         // how often a task is begun at most
  std::string user;                     // to run as; empty: as it was started
  std::string group;                    // empty: the groups of the user
  bool no_new_privileges = true;        // for client scripts: no sudo, no set-user-id programs
  std::string log_level = "info";
  std::string archivematica_config;  // these three: files of other programs, colon-separated, that are read too
  std::string ccp_config;
  std::string atom_config;
  std::string log_levels;           // of single rooms: ROOM=LEVEL, comma-separated
  std::string log_format = "text";  // or json
  std::string log_file;             // empty: standard error
  bool log_failed_output = false;   // what failed tasks wrote, in the log too
  std::string metrics_address;      // IP:PORT; empty: none
  std::string metrics_prefix = "mcpclient_";
  std::string page_address;                           // IP:PORT; empty: none
  std::string page_hosts;                             // names, space-separated
  std::string page_token;                             // a file; empty: page-token in state_directory
  std::map<std::string, std::string> environment;     // section [environment]: set for the children
  std::map<std::string, FunctionSettings> functions;  // by function in lower case
  std::vector<std::string> remarks;                   // sentences about what was read and changes nothing

  // The defaults that depend on the machine, put in: processors, folders of this installation, state folder.
  // After this no number of slots is 0, and the paths of the record, the module table and the folders (but
  // python_path may be empty) are there and absolute. Throws ConfigurationError.
  void complete();

  // A file of this name is ./none.
  bool keeps_record() const { return record != no_record; }
};

// A setting as help and documentation show it.
struct SettingDescription {
  std::string name;           // in the file: gearman_servers
  std::string option;         // on the command line, without the dashes: gearman-servers
  std::string variable;       // in the environment: QUIRE_GEARMAN_SERVERS
  std::string value_name;     // what stands for the value in a help text: LIST
  std::string documentation;  // one sentence without its full stop
  std::string default_value;
};

// All settings of section [quire], in the order in which they are best read.
const std::vector<SettingDescription>& setting_descriptions();

// All settings of sections [function:NAME]; value_name is an example, and there is no default, option or variable.
// One without documentation belongs to the one before it.
std::vector<SettingDescription> function_setting_descriptions();

// The configuration file that documents every setting, each with its default and commented out:
// etc/quire.conf is this text.
std::string documented_configuration();

// The spelling in which functions are compared: ASCII in lower case.
std::string lower_case(std::string name);

// The items of a list: without the white space around them, and without the empty ones.
std::vector<std::string> list_items(const std::string& list, char separator);

// Sets one setting of section [quire] from its text. where: the beginning of the sentence when it cannot be:
// file and line, variable or option. Throws ConfigurationError. REQUIRES: the name is one of the settings
void set_setting(Settings& settings, const std::string& name, const std::string& value,
                 const std::string& where);

// Sets what the file says: sections [quire], [function:NAME] and [environment]. Throws ConfigurationError.
void read_settings_file(Settings& settings, const std::string& path);

// Sets what the variables QUIRE_… say; QUIRE_CONFIG, the path of the configuration file, is not one of the
// settings. variables: "NAME=value" each. Throws ConfigurationError.
void read_settings_environment(Settings& settings, const std::vector<std::string>& variables);

}  // namespace quire
