#include "worker/mariadb_check.hpp"

#include <doctest/doctest.h>

#include "tests/support/gearmand.hpp"
#include "tests/support/mariadb_server.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace quire;
using Level = Finding::Level;

namespace {

// A site whose settings name a database in which all is well, until a test changes it.
struct Site {
  Site() {
    settings.mariadb_settings = folder.write(
        "clientConfig.conf", "[client]\nuser = archivematica\npassword = correct horse\nhost = " +
                                 server.address().socket + "\ndatabase = MCP\n");
  }

  Findings check() const {
    Findings findings = check_mariadb(settings, std::chrono::seconds(10));
    for (const Finding& finding : findings) {
      CHECK(finding.check == "database");
      CHECK(finding.sentence.find("horse") == std::string::npos);
    }
    return findings;
  }

  // The only sentence, which is critical.
  std::string problem() const {
    const Findings findings = check();
    REQUIRE(findings.size() == 1);
    INFO(findings[0].sentence);
    CHECK(findings[0].level == Level::critical);
    return findings[0].sentence;
  }

  test::MariadbServer& server = test::MariadbServer::fresh();
  test::TemporaryFolder folder;
  Settings settings;
};

bool has(const std::string& sentence, const std::string& part) {
  return sentence.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("mariadb check") {
  Site site;

  SUBCASE("where all is well it says so, and has changed nothing") {
    site.server.insert_tasks("a", 2);
    const Findings findings = site.check();
    REQUIRE(findings.size() == 1);
    CHECK(findings[0].level == Level::ok);
    CHECK(has(findings[0].sentence, "database MCP at " + site.server.address().socket));
    CHECK(has(findings[0].sentence, "which user archivematica may read and update."));
    CHECK(site.server.value("SELECT COUNT(*) FROM MCP.Tasks WHERE client = '' AND exitCode IS NULL") == "2");
  }
  SUBCASE("no database is named") {
    site.settings.mariadb_settings.clear();
    const Findings findings = site.check();
    REQUIRE(findings.size() == 1);
    CHECK(findings[0].level == Level::warning);
    CHECK(has(findings[0].sentence, "set mariadb_settings = archivematica, or ccp"));
  }
  SUBCASE("a wrong password, told with where it comes from") {
    site.settings.mariadb_settings =
        site.folder.write("other.conf", "[client]\nuser = archivematica\npassword = wrong horse\nhost = " +
                                            site.server.address().socket + "\ndatabase = MCP\n");
    const std::string problem = site.problem();
    CHECK(has(problem, "error 1045"));
    CHECK(has(problem,
              "Correct user and password in what mariadb_settings = " + site.settings.mariadb_settings));
    site.settings.mariadb_user = "archivematica";
    CHECK(has(site.problem(), "Correct mariadb_user and mariadb_password_file."));
  }
  SUBCASE("nobody there") {
    site.settings.mariadb_socket = "/nonexistent/socket";
    CHECK(has(site.problem(), "Start it, or correct mariadb_host, mariadb_port and mariadb_socket."));
    site.settings.mariadb_socket.clear();
    site.settings.mariadb_host = "127.0.0.1";
    site.settings.mariadb_port = test::free_port();
    CHECK(has(site.problem(), "Start it, or correct"));
  }
  SUBCASE("a database that is not there, or not this user's") {
    site.server.run("DROP DATABASE MCP");
    CHECK(has(site.problem(), "Correct database in what mariadb_settings"));
    site.settings.mariadb_database = "mysql";
    CHECK(has(site.problem(),
              "As its administrator: GRANT SELECT, UPDATE ON `mysql`.Tasks TO 'archivematica'"));
  }
  SUBCASE("a database that is not the controller's") {
    site.server.run("DROP TABLE MCP.Tasks");
    CHECK(has(site.problem(), "it has no table Tasks; name the controller's own database; or let user"));
    site.server.run(
        "CREATE TABLE MCP.Tasks (taskUUID varchar(36), client varchar(50), startTime datetime(6))");
    CHECK(has(site.problem(), "its table Tasks has no column endtime"));
  }
  SUBCASE("a user who may only read") {
    site.server.run(
        "CREATE USER reader@localhost IDENTIFIED BY 'horse'; GRANT SELECT ON MCP.* TO reader@localhost");
    site.settings.mariadb_user = "reader";
    site.settings.mariadb_password_file = site.folder.write("password", "horse\n");
    const std::string problem = site.problem();
    site.server.run("DROP USER reader@localhost");
    CHECK(has(problem, "UPDATE command denied"));
    CHECK(has(problem, "GRANT SELECT, UPDATE ON `MCP`.Tasks TO 'reader'"));
  }
  SUBCASE("a server that may not be written") {
    site.server.run("SET GLOBAL read_only = 1");
    CHECK(has(site.problem(), "Name the server that may be written"));
  }
  SUBCASE("a small packet is a warning") {
    site.server.run("SET GLOBAL max_allowed_packet = 1048576");
    const Findings findings = site.check();
    REQUIRE(findings.size() == 2);
    CHECK(findings[1].level == Level::warning);
    CHECK(has(findings[1].sentence, "takes 1 MiB at once (max_allowed_packet)"));
  }
  SUBCASE("a mode that refuses values does no harm") {
    site.server.run("SET GLOBAL sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE'");
    const Findings findings = site.check();
    site.server.run("SET GLOBAL sql_mode = DEFAULT");
    REQUIRE(findings.size() == 1);
    CHECK(findings[0].level == Level::ok);
    CHECK(has(findings[0].sentence, "sql_mode refuses values"));
  }
  SUBCASE("settings that cannot be used") {
    site.settings.mariadb_settings = "/nonexistent/file";
    CHECK(has(site.problem(), "/nonexistent/file"));
  }
}
