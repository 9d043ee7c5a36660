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
    SettingRow{
        "workers_key", &Settings::workers_key, "KEY",
        "Put before every function on the job server (KEY-FUNCTION), so that several sites can share it"},
    SettingRow{
        "workers_key_root", &Settings::workers_key_root, "FOLDER",
        "Root folder of an AtoM site: the MD5 of it and of workers_key is put before every function, as "
        "AtoM does"},
    SettingRow{
        "client_modules", &Settings::client_modules, "FILES",
        "Module tables: which function is which client script; of several, separated by colons, the last "
        "one with a function counts; empty: the table that ships"},
    SettingRow{"client_scripts", &Settings::client_scripts, "FOLDERS",
               "Folders with client scripts, separated by colons; empty: the folder that ships"},
    SettingRow{
        "record", &Settings::record, "FILE",
        "Task record, a SQLite file; empty: record.sqlite in state_directory; none: nothing is kept, so "
        "a task delivered again is run again, however often (max_attempts does not hold), and `quire "
        "tasks` and the page have no tasks to show; the controller's database is written all the same"},
    SettingRow{"state_directory", &Settings::state_directory, "FOLDER",
               "The worker's own files; empty: /var/lib/quire (root), ~/.local/state/quire (others)"},
    SettingRow{"mariadb_settings", &Settings::mariadb_settings, "LIST",
               "Where the address of the controller's database is read: archivematica, ccp, or files with a "
               "section [client] or [db], separated by colons; empty: no such database, unless the next ones "
               "name it"},
    SettingRow{"mariadb_database", &Settings::mariadb_database, "NAME",
               "Database with the controller's table Tasks, which is kept beside the record"},
    SettingRow{"mariadb_host", &Settings::mariadb_host, "HOST",
               "Host of that MariaDB or MySQL; empty or localhost: its socket on this host"},
    SettingRow{"mariadb_port", &Settings::mariadb_port, "NUMBER", "Its port; 0: 3306", Range{.most = 65535}},
    SettingRow{"mariadb_socket", &Settings::mariadb_socket, "FILE",
               "Its socket on this host; empty: where the client library has it"},
    SettingRow{"mariadb_user", &Settings::mariadb_user, "NAME", "User to log in there"},
    SettingRow{"mariadb_password_file", &Settings::mariadb_password_file, "FILE",
               "File with that user's password in its first line; nobody else should be able to read it"},
    SettingRow{"exclusive_across_hosts", &Settings::exclusive_across_hosts, "yes|no",
               "Whether scripts without concurrent_instances run on one host at a time, by a lock in that "
               "database"},
    SettingRow{"workers", &Settings::workers, "NUMBER",
               "Batches in hand at the same time; 0: two per processor and two more", slots},
    SettingRow{"max_processes", &Settings::max_processes, "NUMBER",
               "Processes that run client scripts at the same time, and one for each batch that has none "
               "while another "
               "has several, up to twice as many; 0: one per processor",
               slots},
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
               "Variables that client scripts get from the worker's environment; * stands for any ending; without LC_ALL, "
               "LC_CTYPE and LANG they get LANG=C.UTF-8"},
    SettingRow{"host_start_limit", &Settings::host_start_limit, "SECONDS",
               "Seconds in which a script must have been loaded", Range{.least = 1}},
    SettingRow{"host_idle_time", &Settings::host_idle_time, "SECONDS",
               "Seconds for which a script without work is kept loaded; 0: for ever"},
    SettingRow{"host_subsets", &Settings::host_subsets, "NUMBER",
               "Runs of a script (subsets of batches) after which it is loaded anew; 0: never"},
    SettingRow{"time_limit", &Settings::time_limit, "SECONDS",
               "Seconds for which a process may work on its tasks; then it is ended (TERM); 0: no limit"},
    SettingRow{"grace_period", &Settings::grace_period, "SECONDS",
               "Seconds from TERM to KILL for a process that is ended"},
    SettingRow{"memory_limit", &Settings::memory_limit, "MIB",
               "MiB of address space for each process of a script; 0: no limit", Range{.most = 1 << 30}},
    SettingRow{"open_files_limit", &Settings::open_files_limit, "NUMBER",
               "Files that each process of a script may have open; 0: the worker's own limit",
               Range{.most = 1 << 20}},
    SettingRow{"process_limit", &Settings::process_limit, "NUMBER",
               "Processes that a script may have at once, its own included; beyond that they are ended; 0: "
               "no limit"},
    SettingRow{"output_limit", &Settings::output_limit, "KIB",
               "KiB of each text of a task (stdout, stderr) beyond which the middle is left out; 0: no limit",
               Range{.most = 1 << 21}},
    SettingRow{
        "job_server_timeout", &Settings::job_server_timeout, "SECONDS",
        "Seconds without a word after which a job server is asked whether it is there, and then given up",
        Range{.least = 1, .most = 86'400}},
    SettingRow{"shutdown_timeout", &Settings::shutdown_timeout, "SECONDS",
               "Seconds that the batches in hand get to end when the worker is stopped"},
    SettingRow{"fail_interrupted", &Settings::fail_interrupted, "yes|no",
               "Whether batches that a stop cuts short are answered as failed; no: they are delivered again"},
    SettingRow{"max_attempts", &Settings::max_attempts, "NUMBER",
               "How often a task is begun at most, when workers die with it",
               Range{.least = 1, .most = 1000}},
    SettingRow{"user", &Settings::user, "NAME",
               "User to run as when started by root, for good; empty: as it was started"},
    SettingRow{"group", &Settings::group, "NAME",
               "Group to run as when started by root; empty: the user's groups"},
    SettingRow{"no_new_privileges", &Settings::no_new_privileges, "yes|no",
               "Whether client scripts are kept from gaining privileges, by sudo for one"},
    SettingRow{"log_level",
               &Settings::log_level,
               "LEVEL",
               "Least level of the log: trace, debug, info, warning, error, critical, off",
               {},
               check_log_level},
    SettingRow{
        "archivematica_config", &Settings::archivematica_config, "FILES",
        "Archivematica's own configuration (dbsettings, clientConfig.conf), separated by colons; its "
        "variables ARCHIVEMATICA_MCPCLIENT_… count more, and the word environment stands for them alone"},
    SettingRow{"ccp_config", &Settings::ccp_config, "FILES",
               "The same of CCP's worker (worker.conf), with its variables ARCHIVEMATICA_WORKER_…"},
    SettingRow{"atom_config", &Settings::atom_config, "FOLDER",
               "Root folder of an AtoM site, or files of its folder config: job servers and workers key"},
    SettingRow{
        "log_levels",
        &Settings::log_levels,
        "LIST",
        "Levels of single rooms, such as record=debug, gearman=warning; the rooms: batch, gearman, host, "
        "record, web, worker",
        {},
        check_log_levels},
    SettingRow{"log_format",
               &Settings::log_format,
               "FORMAT",
               "Form of the log's lines: text or json",
               {},
               check_log_format},
    SettingRow{"log_file", &Settings::log_file, "FILE",
               "File of the log, made anew when it has been moved away; empty: standard error"},
    SettingRow{"log_failed_output", &Settings::log_failed_output, "yes|no",
               "Whether the log tells what tasks that failed or were cancelled have written, a line for each "
               "of them"},
    SettingRow{
        "metrics_address",
        &Settings::metrics_address,
        "IP:PORT",
        "Where Prometheus reads /metrics, and /healthz and /readyz answer, such as 127.0.0.1:9100; empty: "
        "nowhere",
        {},
        check_address},
    SettingRow{"metrics_prefix",
               &Settings::metrics_prefix,
               "TEXT",
               "How the names of the metrics begin that Archivematica has, too; CCP's begin with worker_",
               {},
               check_metrics_prefix},
    SettingRow{"page_address",
               &Settings::page_address,
               "IP:PORT",
               "Where the page for administrators is, such as 127.0.0.1:8080; empty: nowhere",
               {},
               check_address},
    SettingRow{
        "page_hosts", &Settings::page_hosts, "NAMES",
        "Names by which browsers reach the page through a proxy, separated by spaces; by IP address and "
        "as localhost it is reached always"},
    SettingRow{"page_token", &Settings::page_token, "FILE",
               "File with the token that whoever changes anything on the page must know, made where it is "
               "missing; empty: page-token in state_directory"},
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
    FunctionSettingRow{"time_limit", &FunctionSettings::time_limit, "3600",
                       "Instead of the time_limit of [quire], and so on"},
    FunctionSettingRow{"grace_period", &FunctionSettings::grace_period, "30", ""},
    FunctionSettingRow{"memory_limit", &FunctionSettings::memory_limit, "4096", "", Range{.most = 1 << 30}},
    FunctionSettingRow{"open_files_limit", &FunctionSettings::open_files_limit, "256", "",
                       Range{.most = 1 << 20}},
    FunctionSettingRow{"process_limit", &FunctionSettings::process_limit, "100", ""},
    FunctionSettingRow{"output_limit", &FunctionSettings::output_limit, "1024", "", Range{.most = 1 << 21}},
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
