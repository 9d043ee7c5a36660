#include "worker/mariadb_check.hpp"

#include <optional>
#include <stdexcept>

#include "worker/mariadb_address.hpp"
#include "worker/mariadb_columns.hpp"
#include "worker/mariadb_connection.hpp"

namespace quire {
namespace {

using Level = Finding::Level;

// Below this a text of a task that is not even long is cut. MariaDB and MySQL have 16 and 64 MiB by default.
constexpr std::size_t small_packet = 4 << 20;

Finding finding(Level level, std::string sentence) { return {level, "database", std::move(sentence)}; }

// Where the value is said that has to be corrected: our own setting counts more than the controller's key.
std::string place_of(const Settings& settings, const std::string& own, const std::string& setting,
                     const std::string& key) {
  if (!own.empty()) return setting;
  return key + " in what mariadb_settings = " + settings.mariadb_settings +
         " reads (the controller's files and variables; those of its unit are here only if they were given, "
         "by --environment-file for one)";
}

std::string place_of_user(const Settings& settings) {
  if (!settings.mariadb_user.empty()) return "mariadb_user and mariadb_password_file";
  return place_of(settings, "", "", "user and password");
}

std::string grant(const MariadbAddress& address) {
  return "GRANT SELECT, UPDATE ON `" + address.database + "`.Tasks TO '" + address.user + "'@'HOST'";
}

std::string remedy(const MariadbError& error, const Settings& settings, const MariadbAddress& address) {
  switch (error.code) {
    case 1045:  // access denied
    case 1698:
    case 1862:  // the password has expired
    case 3118:  // the account is locked
      return "Correct " + place_of_user(settings) + ".";
    case 1130:  // from this host
      return "Let its user " + address.user + " come from this host.";
    case 1049:  // no such database
      return "Correct " + place_of(settings, settings.mariadb_database, "mariadb_database", "database") + ".";
    case 1044:  // not this database
    case 1142:  // not this table
    case 1143:  // not this column
      return "As its administrator: " + grant(address) + "; or correct " +
             place_of(settings, settings.mariadb_database, "mariadb_database", "database") + ".";
    case 1290:  // --read-only
    case 1792:
    case 1836:
      return "Name the server that may be written: correct " +
             place_of(settings, settings.mariadb_host, "mariadb_host", "host") + ".";
    case 1040:  // too many connections
    case 1203:
    case 1226:
      return "Raise its limit of connections: a worker holds one, and each running script its own.";
    default:
      break;
  }
  if (error.connection_lost()) {
    return "Start it, or correct " +
           place_of(settings, settings.mariadb_host + settings.mariadb_socket,
                    "mariadb_host, mariadb_port and mariadb_socket", "host and port") +
           ".";
  }
  return "Its server's manual tells what the number means.";
}

// What a worker does when it opens the database, and to the row of a task; there is none with this id.
constexpr const char* as_a_worker =
    "SET SESSION sql_mode = ''; SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;"
    "SET SESSION autocommit = 0; SET SESSION innodb_lock_wait_timeout = 1;"
    "SELECT taskUUID, endTime, exitCode, stdOut, stdError FROM Tasks WHERE taskUUID = '';"
    "UPDATE Tasks SET startTime = NULL, client = '', endTime = NULL, exitCode = NULL, stdOut = '', "
    "stdError = '' WHERE taskUUID = '';"
    "ROLLBACK";

std::string mebibytes(std::size_t bytes) {
  return bytes < (1 << 20) ? std::to_string(bytes >> 10) + " KiB" : std::to_string(bytes >> 20) + " MiB";
}

}  // namespace

Findings check_mariadb(const Settings& settings, std::chrono::seconds patience) {
  std::optional<MariadbAddress> address;
  try {
    address = mariadb_address(settings);
  } catch (const ConfigurationError& error) {
    return {finding(Level::critical, error.what())};
  }
  if (!address) {
    return {finding(Level::warning,
                    "No database is named, so nobody would write start, end and output of tasks to the "
                    "controller's table Tasks: set mariadb_settings = archivematica, or ccp.")};
  }
  const std::string place = "The " + address->describe();
  try {
    MariadbConnection connection(*address, patience);
    const std::string mode = connection.execute("SELECT @@sql_mode").at(0).rows.at(0).at(0).value_or("");
    const TaskColumns columns = TaskColumns::read(connection);
    connection.execute(as_a_worker);

    Findings findings;
    findings.push_back(finding(
        Level::ok,
        place + " has the controller's table Tasks, which user " + address->user + " may read and update." +
            (mode.find("STRICT") == mode.npos ? ""
                                              : " That its sql_mode refuses values does no harm: workers "
                                                "turn that off for themselves.")));
    if (columns.max_allowed_packet < small_packet) {
      findings.push_back(
          finding(Level::warning,
                  place + " takes " + mebibytes(columns.max_allowed_packet) +
                      " at once (max_allowed_packet), so what a task writes beyond that is cut in the "
                      "table; scripts fail on it: set it to 16M in the server's configuration."));
    }
    return findings;
  } catch (const MariadbError& error) {
    return {finding(Level::critical,
                    place + " cannot be used: " + error.what() + ". " + remedy(error, settings, *address))};
  } catch (const std::runtime_error& error) {
    // Columns that a user may not see are not there for it.
    return {finding(Level::critical, place + " cannot be used: " + error.what() + "; or let user " +
                                         address->user + " use it: " + grant(*address) + ".")};
  }
}

}  // namespace quire
