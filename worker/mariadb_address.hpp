// Where the controller's database is: from settings of our own, or from the files and variables that
// Archivematica and CCP read.
//
//   [client]                                       ; CCP: [db]
//   engine = django.db.backends.mysql
//   user = archivematica
//   password = ...
//   host = localhost
//   port = 3306
//   database = MCP
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "worker/settings.hpp"

namespace quire {

struct MariadbAddress {
  std::string host;    // "localhost" means the socket, as it does for every client of MariaDB and MySQL
  std::string socket;  // empty: where the client library has it
  std::uint16_t port = 3306;
  std::string user;
  std::string password;  // goes into no sentence
  std::string database;

  // For people: "database MCP at 10.0.0.7:3306".
  std::string describe() const;
};

// The address that the settings name, or nothing where they name none. Each of mariadb_host, _port, _socket,
// _user, _password_file and _database counts more than what mariadb_settings leads to. Of the variables of a
// controller those in section [environment] count more than the worker's own, as they do for client scripts.
// Throws ConfigurationError.
std::optional<MariadbAddress> mariadb_address(const Settings& settings);

// The files that the controller `archivematica` or `ccp` itself reads; the later ones count more.
const std::vector<std::string>& controller_files(const std::string& controller);

// Whether the settings mean to name one; reads nothing.
inline bool names_database(const Settings& settings) {
  return !settings.mariadb_settings.empty() || !settings.mariadb_database.empty();
}

}  // namespace quire
