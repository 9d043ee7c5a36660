#include "worker/mariadb_address.hpp"

#include <doctest/doctest.h>

#include "tests/support/temporary_folder.hpp"

using namespace quire;

namespace {

std::string refusal(const Settings& settings) {
  try {
    mariadb_address(settings);
    return "";
  } catch (const ConfigurationError& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("mariadb address") {
  const test::TemporaryFolder folder;
  Settings settings;

  SUBCASE("no setting, no database") { CHECK_FALSE(mariadb_address(settings)); }
  SUBCASE("from settings of our own") {
    settings.mariadb_database = "MCP";
    settings.mariadb_host = "db.example.org";
    settings.mariadb_port = 3307;
    settings.mariadb_user = "quire";
    settings.mariadb_password_file = folder.write("password", "correct horse\n");
    const MariadbAddress address = mariadb_address(settings).value();
    CHECK(address.describe() == "database MCP at db.example.org:3307");
    CHECK(address.user == "quire");
    CHECK(address.password == "correct horse");
  }
  SUBCASE("from Archivematica's own file, with its defaults") {
    settings.mariadb_settings = "archivematica:" + folder.write("clientConfig.conf", R"([MCPClient]
rejectedDirectory = %%sharedPath%%rejected/
clamav_client_threshold = 20  ; Unit: MB

[client]
user = am
password = 50%%;"off"
host = 10.0.0.7
engine = django_mysqlpool.backends.mysqlpool
)");
    const MariadbAddress address = mariadb_address(settings).value();
    CHECK(address.describe() == "database MCP at 10.0.0.7:3306");
    CHECK(address.user == "am");
    CHECK(address.password == "50%;\"off\"");
  }
  SUBCASE("Archivematica's variables count more than its files, and empty ones not at all") {
    settings.mariadb_settings =
        folder.write("dbsettings", "[client]\nuser=root\nhost=localhost\ndatabase=X\n");
    settings.mariadb_settings = "archivematica:" + settings.mariadb_settings;
    settings.environment = {{"ARCHIVEMATICA_MCPCLIENT_CLIENT_USER", "variable"},
                            {"ARCHIVEMATICA_MCPCLIENT_CLIENT_HOST", ""},
                            {"ARCHIVEMATICA_MCPCLIENT_PORT", "3310"},
                            {"ARCHIVEMATICA_MCPCLIENT_CLIENT_PASSWORD", "100%"}};
    const MariadbAddress address = mariadb_address(settings).value();
    CHECK(address.describe() == "database X at localhost:3310");
    CHECK(address.user == "variable");
    CHECK(address.password == "100%");
  }
  SUBCASE("from CCP's file and variables") {
    settings.mariadb_settings =
        "ccp:" + folder.write("worker.conf", "[main]\nworkers =\n[db]\nuser = ccp\nhost = /run/db.sock\n");
    settings.environment = {{"ARCHIVEMATICA_WORKER_DB_DATABASE", "ccp2"}};
    const MariadbAddress address = mariadb_address(settings).value();
    CHECK(address.describe() == "database ccp2 at /run/db.sock");
    CHECK(address.user == "ccp");
  }
  SUBCASE("our own settings count more than a controller's") {
    settings.mariadb_settings = folder.write("x.conf", "[client]\nuser = am\ndatabase = MCP\nport = 1\n");
    settings.mariadb_user = "quire";
    settings.mariadb_port = 2;
    CHECK(mariadb_address(settings)->user == "quire");
    CHECK(mariadb_address(settings)->port == 2);
  }

  SUBCASE("a server without a database") {
    settings.mariadb_host = "db";
    CHECK(refusal(settings) ==
          "mariadb_database: the settings name a server and no database; set it, such as MCP.");
  }
  SUBCASE("another engine") {
    settings.mariadb_settings =
        folder.write("x.conf", "[client]\nengine = django.db.backends.sqlite3\ndatabase = MCP\n");
    CHECK(refusal(settings).find("only MySQL and MariaDB are supported") != std::string::npos);
  }
  SUBCASE("a file without the section") {
    settings.mariadb_settings = folder.write("x.conf", "[MCPClient]\nuser = x\n");
    CHECK(refusal(settings).find("has neither a section [client] nor a section [db]") != std::string::npos);
  }
  SUBCASE("a reference in a value, of which the refusal tells the place and not the value") {
    settings.mariadb_settings = folder.write("x.conf", "[client]\npassword = secret%(user)s\n");
    CHECK(refusal(settings).find("x.conf:2: password: a single % stands in the value") != std::string::npos);
    CHECK(refusal(settings).find("secret") == std::string::npos);
  }
  SUBCASE("a port that is none") {
    settings.mariadb_settings = folder.write("x.conf", "[client]\nport = 33o6\ndatabase = MCP\n");
    CHECK(refusal(settings).find("\"33o6\" is not a whole number from 1 to 65535") != std::string::npos);
  }
  SUBCASE("a password file that is missing or empty") {
    settings.mariadb_database = "MCP";
    settings.mariadb_password_file = (folder / "missing").string();
    CHECK(refusal(settings).find("cannot be read: No such file") != std::string::npos);
    settings.mariadb_password_file = folder.write("empty", "");
    CHECK(refusal(settings).find("it is empty") != std::string::npos);
  }
}
