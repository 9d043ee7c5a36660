// The keys of foreign configurations that are known, and what they are to us.
#pragma once

#include <array>
#include <span>

#include "worker/foreign_config.hpp"

namespace quire {

struct ForeignKey {
  const char* section;
  const char* option;  // its capitals do not matter
  ForeignUse use;
  const char* target = "";       // the name of a setting or variable
  bool ends_with_slash = false;  // a folder, whose slash may be left away there
};

// A program whose configuration is INI files and variables PREFIX_SECTION_OPTION or PREFIX_OPTION.
struct ForeignDialect {
  const char* program;
  const char* setting;  // ours, that names its files
  const char* prefix;   // of its variables, with the final _
  std::span<const ForeignKey> keys;
};

namespace foreign {

using enum ForeignUse;

// Two keys there that are one setting here: they become metrics_address.
inline constexpr const char* bind_host = "metrics_address: host";
inline constexpr const char* bind_port = "metrics_address: port";

inline constexpr std::array archivematica_keys = {
    ForeignKey{"MCPClient", "MCPArchivematicaServer", setting, "gearman_servers"},
    ForeignKey{"MCPClient", "sharedDirectoryMounted", setting, "shared_directory"},
    ForeignKey{"MCPClient", "archivematicaClientModules", setting, "client_modules"},
    ForeignKey{"MCPClient", "clientScriptsDirectory", setting, "client_scripts"},
    ForeignKey{"MCPClient", "clientAssetsDirectory", setting, "client_assets_directory"},
    ForeignKey{"MCPClient", "capture_client_script_output", setting, "capture_client_script_output"},
    ForeignKey{"MCPClient", "workers", setting, "max_processes"},
    ForeignKey{"MCPClient", "numberOfTasks", setting, "max_processes"},
    ForeignKey{"MCPClient", "django_settings_module", variable, "DJANGO_SETTINGS_MODULE"},
    // Every subset is a process of its own: there is none that would have to be replaced.
    ForeignKey{"MCPClient", "max_tasks_per_child", superfluous},
    ForeignKey{"MCPClient", "prometheus_detailed_metrics", superfluous},
    ForeignKey{"MCPClient", "maxThreads", superfluous},
    ForeignKey{"MCPClient", "LoadSupportedCommandsSpecial", superfluous},
    ForeignKey{"MCPClient", "kioskMode", superfluous},
    ForeignKey{"MCPClient", "prometheus_bind_address", setting, bind_host},
    ForeignKey{"MCPClient", "prometheus_bind_port", setting, bind_port},
    ForeignKey{"MCPClient", "watchDirectoryPath", scripts},
    ForeignKey{"MCPClient", "processingDirectory", scripts},
    ForeignKey{"MCPClient", "rejectedDirectory", scripts},
    ForeignKey{"MCPClient", "elasticsearchServer", scripts},
    ForeignKey{"MCPClient", "elasticsearchTimeout", scripts},
    ForeignKey{"MCPClient", "disableElasticsearchIndexing", scripts},
    ForeignKey{"MCPClient", "disable_search_indexing", scripts},
    ForeignKey{"MCPClient", "search_enabled", scripts},
    ForeignKey{"MCPClient", "index_aip_continue_on_error", scripts},
    ForeignKey{"MCPClient", "temp_dir", scripts},
    ForeignKey{"MCPClient", "removableFiles", scripts},
    ForeignKey{"MCPClient", "django_secret_key", scripts},
    ForeignKey{"MCPClient", "storage_service_client_timeout", scripts},
    ForeignKey{"MCPClient", "storage_service_client_quick_timeout", scripts},
    ForeignKey{"MCPClient", "agentarchives_client_timeout", scripts},
    ForeignKey{"MCPClient", "metadata_xml_validation_enabled", scripts},
    ForeignKey{"MCPClient", "time_zone", scripts},
    ForeignKey{"MCPClient", "clamav_server", scripts},
    ForeignKey{"MCPClient", "clamav_pass_by_stream", scripts},
    ForeignKey{"MCPClient", "clamav_pass_by_reference", scripts},
    ForeignKey{"MCPClient", "clamav_client_timeout", scripts},
    ForeignKey{"MCPClient", "clamav_client_backend", scripts},
    ForeignKey{"MCPClient", "clamav_client_max_file_size", scripts},
    ForeignKey{"MCPClient", "clamav_client_max_scan_size", scripts},
    ForeignKey{"MCPClient", "clamav_client_threshold", scripts},
    ForeignKey{"MCPClient", "clamav_max_file_size", scripts},
    ForeignKey{"MCPClient", "clamav_max_scan_size", scripts},
    ForeignKey{"MCPClient", "clamav_max_stream_length", scripts},
    ForeignKey{"client", "engine", scripts},
    ForeignKey{"client", "user", scripts},
    ForeignKey{"client", "password", scripts},
    ForeignKey{"client", "host", scripts},
    ForeignKey{"client", "port", scripts},
    ForeignKey{"client", "database", scripts},
    ForeignKey{"client", "max_overflow", scripts},
    ForeignKey{"client", "conn_max_age", scripts},
    ForeignKey{"email", "backend", scripts},
    ForeignKey{"email", "host", scripts},
    ForeignKey{"email", "host_user", scripts},
    ForeignKey{"email", "host_password", scripts},
    ForeignKey{"email", "port", scripts},
    ForeignKey{"email", "ssl_certfile", scripts},
    ForeignKey{"email", "ssl_keyfile", scripts},
    ForeignKey{"email", "use_ssl", scripts},
    ForeignKey{"email", "use_tls", scripts},
    ForeignKey{"email", "file_path", scripts},
    ForeignKey{"email", "default_from_email", scripts},
    ForeignKey{"email", "subject_prefix", scripts},
    ForeignKey{"email", "timeout", scripts},
    ForeignKey{"email", "server_email", scripts},
};

inline constexpr std::array ccp_keys = {
    ForeignKey{"main", "gearman_server", setting, "gearman_servers"},
    ForeignKey{"main", "shared_dir", setting, "shared_directory", true},
    ForeignKey{"main", "workers", setting, "max_processes"},
    ForeignKey{"main", "capture_client_script_output", setting, "capture_client_script_output"},
    ForeignKey{"main", "max_tasks_per_child", superfluous},
    ForeignKey{"main", "prometheus_detailed_metrics", superfluous},
    ForeignKey{"main", "prometheus_bind_address", setting, bind_host},
    ForeignKey{"main", "prometheus_bind_port", setting, bind_port},
    ForeignKey{"main", "removable_files", scripts},
    ForeignKey{"main", "removableFiles", scripts},
    ForeignKey{"main", "django_secret_key", scripts},
    ForeignKey{"main", "agentarchives_client_timeout", scripts},
    ForeignKey{"main", "metadata_xml_validation_enabled", scripts},
    ForeignKey{"main", "metadata_xml_validation_settings_file", scripts},
    ForeignKey{"clamav", "server", scripts},
    ForeignKey{"clamav", "pass_by_stream", scripts},
    ForeignKey{"clamav", "client_timeout", scripts},
    ForeignKey{"clamav", "client_backend", scripts},
    ForeignKey{"clamav", "client_max_file_size", scripts},
    ForeignKey{"clamav", "client_max_scan_size", scripts},
    ForeignKey{"clamav", "max_file_size", scripts},
    ForeignKey{"clamav", "max_scan_size", scripts},
    ForeignKey{"clamav", "max_stream_length", scripts},
    ForeignKey{"db", "engine", scripts},
    ForeignKey{"db", "user", scripts},
    ForeignKey{"db", "password", scripts},
    ForeignKey{"db", "host", scripts},
    ForeignKey{"db", "port", scripts},
    ForeignKey{"db", "database", scripts},
    ForeignKey{"db", "conn_max_age", scripts},
    ForeignKey{"email", "backend", scripts},
    ForeignKey{"email", "host", scripts},
    ForeignKey{"email", "host_user", scripts},
    ForeignKey{"email", "host_password", scripts},
    ForeignKey{"email", "port", scripts},
    ForeignKey{"email", "ssl_certfile", scripts},
    ForeignKey{"email", "ssl_keyfile", scripts},
    ForeignKey{"email", "use_ssl", scripts},
    ForeignKey{"email", "use_tls", scripts},
    ForeignKey{"email", "file_path", scripts},
    ForeignKey{"email", "default_from_email", scripts},
    ForeignKey{"email", "subject_prefix", scripts},
    ForeignKey{"email", "timeout", scripts},
    ForeignKey{"email", "server_email", scripts},
};

inline constexpr ForeignDialect archivematica = {"Archivematica", "archivematica_config",
                                                 "ARCHIVEMATICA_MCPCLIENT_", archivematica_keys};
inline constexpr ForeignDialect ccp = {"CCP", "ccp_config", "ARCHIVEMATICA_WORKER_", ccp_keys};

// AtoM's: gearman.yml, and app.yml, whose other keys are the web application's.
inline constexpr std::array atom_keys = {
    ForeignKey{"", "servers", setting, "gearman_servers"},
    ForeignKey{"", "gearman_job_server", setting, "gearman_servers"},
    ForeignKey{"", "workers_key", setting, "workers_key"},
    ForeignKey{"", "worker_types", superfluous},
    ForeignKey{"", "upload_limit", superfluous},
    ForeignKey{"", "download_timeout", superfluous},
    ForeignKey{"", "cache_engine", superfluous},
    ForeignKey{"", "cache_engine_param", superfluous},
    ForeignKey{"", "qubit_cache_class", superfluous},
    ForeignKey{"", "read_only", superfluous},
    ForeignKey{"", "google_maps_api_key", superfluous},
    ForeignKey{"", "google_analytics_api_key", superfluous},
    ForeignKey{"", "google_analytics_institutions_dimension_index", superfluous},
    ForeignKey{"", "htmlpurifier_enabled", superfluous},
    ForeignKey{"", "csv_transform_script_name", superfluous},
};

}  // namespace foreign
}  // namespace quire
