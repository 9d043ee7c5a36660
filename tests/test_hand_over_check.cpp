#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "tests/support/answering_worker.hpp"
#include "tests/support/gearmand.hpp"
#include "tests/support/mariadb_server.hpp"
#include "worker/hand_over_check.hpp"

using namespace quire;
using Level = Finding::Level;
namespace fs = std::filesystem;

namespace {

// A site with Archivematica's layout: a package with two scripts, one of which cannot be imported.
struct Site {
  Site() {
    fs::create_directories(folder / "code/am/clientScripts");
    fs::create_directories(folder / "shared");
    fs::create_directories(folder / "assets/catalog");
    folder.write("code/am/__init__.py", "");
    folder.write("code/am/clientScripts/__init__.py", "");
    folder.write("code/am/clientScripts/good.py", "def call(jobs):\n    pass\n");
    folder.write("assets/catalog/catalog.xml", "<catalog/>");
    settings.client_modules =
        folder.write("modules", "[supportedBatchCommands]\na_v0.0 = good\nb_v0.0 = good\n");
    settings.client_scripts = folder / "none";
    settings.python = "/usr/bin/python3";
    settings.python_path = folder / "code";
    settings.python_prefix = "am.clientScripts";
    settings.shared_directory = (folder / "shared").string() + "/";
    settings.client_assets_directory = (folder / "assets").string() + "/";
    settings.environment["XML_CATALOG_FILES"] = folder / "assets/catalog/catalog.xml";
    settings.state_directory = folder / "state";
    settings.gearman_servers = gearmand.address();
    settings.mariadb_database = "MCP";
    settings.mariadb_socket = database.address().socket;
    settings.mariadb_user = "archivematica";
    settings.mariadb_password_file = folder.write("password", "correct horse\n");
    settings.complete();
  }

  // The sentences of one check that are of this level.
  std::vector<std::string> told(Level level, const std::string& check) const {
    std::vector<std::string> sentences;
    for (const Finding& finding : check_hand_over(settings)) {
      if (finding.level == level && finding.check == check) sentences.push_back(finding.sentence);
    }
    return sentences;
  }

  test::TemporaryFolder folder;
  test::Gearmand gearmand;
  test::MariadbServer& database = test::MariadbServer::fresh();
  Settings settings;
};

}  // namespace

TEST_CASE("hand over check") {
  Site site;
  SUBCASE("where all is well, every check says so") {
    const test::AnsweringWorker old(site.gearmand.port(), {{"a_v0.0", test::do_tasks}});
    for (const Finding& finding : check_hand_over(site.settings)) {
      CAPTURE(finding.sentence);
      CHECK(finding.level == Level::ok);
    }
    CHECK(site.told(Level::ok, "modules") == std::vector<std::string>{"1 of 1 modules load."});
    CHECK(fs::is_empty(site.folder / "shared"));
  }
  SUBCASE("a module that does not load is told with the end of its traceback") {
    site.folder.write("modules", "[supportedBatchCommands]\na = good\nb = missing\nc = broken\n");
    site.folder.write("code/am/clientScripts/broken.py", "import there_is_no_such_package\n");
    const std::vector<std::string> told = site.told(Level::critical, "modules");
    REQUIRE(told.size() == 3);
    CHECK(told[0].starts_with("b (missing) does not load: "));
    CHECK(check_hand_over(site.settings, " --config /a.conf")
              .at(5)
              .sentence.ends_with(". `quire scripts check --config /a.conf b` tells all of it."));
    CHECK(told[1].find("No module named 'there_is_no_such_package'") != std::string::npos);
    CHECK(told[2] == "1 of 3 modules load.");
  }
  SUBCASE("what several modules lack is told once") {
    site.folder.write("modules", "[supportedBatchCommands]\na = one\nb = two\nc = good\n");
    for (const char* name : {"one", "two"})
      site.folder.write("code/am/clientScripts/" + std::string(name) + ".py",
                        "import there_is_no_such_package\n");
    const std::vector<std::string> told = site.told(Level::critical, "modules");
    REQUIRE(told.size() == 2);
    CHECK(told[0].starts_with("a (one) and 1 more do not load: "));
    CHECK(told[1] == "1 of 3 modules load.");
  }
  SUBCASE("what is missing is told with the setting that names it") {
    site.settings.python = "/nonexistent/python";
    site.settings.shared_directory = "/nonexistent/shared/";
    site.settings.client_assets_directory = "/nonexistent/assets/";
    site.settings.environment.clear();
    site.settings.gearman_servers = "127.0.0.1:" + std::to_string(test::free_port());
    CHECK(site.told(Level::critical, "python").at(0).find("set python") != std::string::npos);
    CHECK(site.told(Level::critical, "modules").at(0).find("None of 2 functions was looked at") !=
          std::string::npos);
    CHECK(site.told(Level::critical, "shared").at(0).find("correct shared_directory") != std::string::npos);
    CHECK(site.told(Level::critical, "assets").at(0).find("set client_assets_directory") !=
          std::string::npos);
    CHECK(site.told(Level::warning, "assets").size() == 1);
    CHECK(site.told(Level::critical, "jobserver").at(0).find("correct gearman_servers") != std::string::npos);
    site.settings.ccp_config = "environment";
    CHECK(site.told(Level::critical, "jobserver").size() == 1);
  }
  SUBCASE("CCP's job server understands no question, which is well as long as it is there") {
    const int listening = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listening, reinterpret_cast<const sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listening, 8) == 0);
    REQUIRE(::getsockname(listening, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    site.settings.gearman_servers = "127.0.0.1:" + std::to_string(::ntohs(address.sin_port));
    CHECK(site.told(Level::critical, "jobserver").size() == 1);
    site.settings.ccp_config = "environment";
    CHECK(site.told(Level::warning, "jobserver").at(0).find("so this may be well") != std::string::npos);
    ::close(listening);
  }
  SUBCASE("without a module table everything else is looked at") {
    site.settings.client_modules = "/nonexistent/modules";
    CHECK(site.told(Level::critical, "modules").at(0).find("/nonexistent/modules") != std::string::npos);
    CHECK(site.told(Level::ok, "database").size() == 1);
  }
}
