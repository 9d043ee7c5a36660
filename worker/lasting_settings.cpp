#include "worker/lasting_settings.hpp"

#include <spdlog/spdlog.h>

#include "worker/log.hpp"

namespace quire {

Settings with_what_stays(Settings fresh, const Settings& old) {
  const auto keep = [&](auto Settings::*member, const char* name) {
    if (fresh.*member == old.*member) return;
    logs::worker()->warn("{}: the new value {} holds when the worker is started anew; until then it is {}.",
                         name, fresh.*member, old.*member);
    fresh.*member = old.*member;
  };
  keep(&Settings::record, "record");
  keep(&Settings::mariadb_settings, "mariadb_settings");
  keep(&Settings::mariadb_database, "mariadb_database");
  keep(&Settings::mariadb_host, "mariadb_host");
  keep(&Settings::mariadb_port, "mariadb_port");
  keep(&Settings::mariadb_socket, "mariadb_socket");
  keep(&Settings::mariadb_user, "mariadb_user");
  keep(&Settings::mariadb_password_file, "mariadb_password_file");
  keep(&Settings::exclusive_across_hosts, "exclusive_across_hosts");
  keep(&Settings::state_directory, "state_directory");
  keep(&Settings::user, "user");
  keep(&Settings::group, "group");
  keep(&Settings::capture_client_script_output, "capture_client_script_output");
  keep(&Settings::max_attempts, "max_attempts");
  keep(&Settings::job_server_timeout, "job_server_timeout");
  keep(&Settings::metrics_address, "metrics_address");
  keep(&Settings::metrics_prefix, "metrics_prefix");
  keep(&Settings::page_address, "page_address");
  keep(&Settings::page_hosts, "page_hosts");
  keep(&Settings::page_token, "page_token");
  return fresh;
}

}  // namespace quire
