#include <doctest/doctest.h>

#include <algorithm>

#include "tests/support/temporary_folder.hpp"
#include "worker/foreign_config.hpp"

using namespace quire;
using test::TemporaryFolder;

namespace {

Settings archivematica(const std::string& list, const std::vector<std::string>& variables = {}) {
  Settings named;
  named.archivematica_config = list;
  return foreign_settings(named, variables);
}

Settings ccp(const std::string& list, const std::vector<std::string>& variables = {}) {
  Settings named;
  named.ccp_config = list;
  return foreign_settings(named, variables);
}

Settings atom(const std::string& list) {
  Settings named;
  named.atom_config = list;
  return foreign_settings(named, {});
}

template <typename Read>
std::string refusal(Read read) {
  try {
    read();
    return "";
  } catch (const ConfigurationError& error) {
    return error.what();
  }
}

// As Archivematica ships it, with a few values that are not the defaults.
constexpr const char* client_config = R"([MCPClient]
MCPArchivematicaServer = gearman.example:4731
sharedDirectoryMounted = /srv/shared/
watchDirectoryPath = /srv/shared/watchedDirectories/
processingDirectory = /srv/shared/currentlyProcessing/
rejectedDirectory = %%sharedPath%%rejected/
archivematicaClientModules = /usr/lib/archivematica/MCPClient/archivematicaClientModules
clientScriptsDirectory = /usr/lib/archivematica/MCPClient/clientScripts/
clientAssetsDirectory = /usr/lib/archivematica/MCPClient/assets/
elasticsearchServer = localhost:9200
elasticsearchTimeout = 10
search_enabled = true
capture_client_script_output = false
workers = 3
temp_dir = /srv/shared/tmp
removableFiles = Thumbs.db, Icon, Icon\r, .DS_Store
clamav_server = /var/run/clamav/clamd.ctl
clamav_client_backend =  clamdscanner ; available are clamscanner (via CLI) and clamdscanner
storage_service_client_timeout = 86400

[client]
user = archivematica
password = demo
host = localhost
database = MCP
port = 3306
engine = django.db.backends.mysql
)";

}  // namespace

TEST_CASE("foreign config: Archivematica") {
  const TemporaryFolder folder;
  const std::string file = folder.write("clientConfig.conf", client_config);

  SUBCASE("its file gives our settings, and what its scripts read is known") {
    const Settings settings = archivematica(file);
    CHECK(settings.gearman_servers == "gearman.example:4731");
    CHECK(settings.shared_directory == "/srv/shared/");
    CHECK(settings.client_modules == "/usr/lib/archivematica/MCPClient/archivematicaClientModules");
    CHECK(settings.client_scripts == "/usr/lib/archivematica/MCPClient/clientScripts/");
    CHECK(settings.client_assets_directory == "/usr/lib/archivematica/MCPClient/assets/");
    CHECK_FALSE(settings.capture_client_script_output);
    CHECK(settings.max_processes == 3);
    CHECK(settings.remarks.empty());
  }
  SUBCASE("its variables count more than its files, and the long name more than the short one") {
    CHECK(archivematica(file, {"ARCHIVEMATICA_MCPCLIENT_WORKERS=4"}).max_processes == 4);
    CHECK(archivematica(file,
                        {"ARCHIVEMATICA_MCPCLIENT_MCPCLIENT_WORKERS=5", "ARCHIVEMATICA_MCPCLIENT_WORKERS=4"})
              .max_processes == 5);
    CHECK(archivematica(file, {"ARCHIVEMATICA_MCPCLIENT_MCPCLIENT_WORKERS="}).max_processes == 3);
    const Settings settings =
        archivematica("environment", {"ARCHIVEMATICA_MCPCLIENT_MCPCLIENT_MCPARCHIVEMATICASERVER=other:1",
                                      "ARCHIVEMATICA_MCPCLIENT_CLIENT_PASSWORD=secret", "OTHER=1"});
    CHECK(settings.gearman_servers == "other:1");
    CHECK(settings.remarks.empty());
  }
  SUBCASE("of several files the last one with a key counts") {
    const std::string later = folder.write("later.conf", "[MCPClient]\nworkers = 7\n");
    const Settings settings = archivematica(file + ":" + later);
    CHECK(settings.max_processes == 7);
    CHECK(settings.gearman_servers == "gearman.example:4731");
  }
  SUBCASE("capitals of keys do not matter, empty values say nothing, and older keys are known") {
    const std::string old = folder.write(
        "old.conf",
        "[MCPClient]\nSHAREDDIRECTORYMOUNTED = /x%%y/\nMCPArchivematicaServer =\nnumberOfTasks = 0 \n"
        "django_settings_module = settings.common\nkioskMode = False\nmaxThreads = 2\n");
    const Settings settings = archivematica(old);
    CHECK(settings.shared_directory == "/x%y/");
    CHECK(settings.gearman_servers == Settings().gearman_servers);
    CHECK(settings.environment.at("DJANGO_SETTINGS_MODULE") == "settings.common");
    CHECK(settings.remarks.empty());
  }
  SUBCASE("what is unknown is told in a sentence each, with its place") {
    const std::string odd =
        folder.write("odd.conf", "[MCPClient]\nworkers = 1\nwoprkers = 2\n[other]\na = b\n");
    const Settings settings = archivematica(odd, {"ARCHIVEMATICA_MCPCLIENT_MCPCLIENT_WOKRERS=1"});
    REQUIRE(settings.remarks.size() == 3);
    CHECK(settings.remarks[0].starts_with(odd + ":3: woprkers: nothing is known of this in Archivematica's"));
    CHECK(settings.remarks[1].starts_with(odd + ":5: a: "));
    CHECK(settings.remarks[2].starts_with("ARCHIVEMATICA_MCPCLIENT_MCPCLIENT_WOKRERS: "));
  }
  SUBCASE("a value that cannot be is refused with its place") {
    const std::string bad = folder.write("bad.conf", "[MCPClient]\nworkers = many\n");
    CHECK(refusal([&] {
            archivematica(bad);
          }).starts_with(bad + ":2: workers: \"many\" is not a whole number"));
    CHECK(refusal([&] {
            archivematica("environment", {"ARCHIVEMATICA_MCPCLIENT_WORKERS=x"});
          }).starts_with("ARCHIVEMATICA_MCPCLIENT_WORKERS: "));
    const std::string made = folder.write("made.conf", "[MCPClient]\nsharedDirectoryMounted = %(root)s/x\n");
    CHECK(refusal([&] {
            archivematica(made);
          }).starts_with(made + ":2: sharedDirectoryMounted: a value that is made"));
    CHECK(refusal([&] { archivematica((folder / "none").string()); }).find("cannot be read") !=
          std::string::npos);
  }
}

TEST_CASE("foreign config: CCP") {
  const TemporaryFolder folder;
  const std::string file = folder.write("worker.conf", R"([main]
gearman_server = ccp:12345
shared_dir = /srv/shared
workers =
max_tasks_per_child = 10
capture_client_script_output = false
removableFiles = Thumbs.db, Icon, Icon\r, .DS_Store

[clamav]
max_file_size = 2000 ; Unit: MB

[db]
password = demo
)");
  const Settings settings =
      ccp(file, {"ARCHIVEMATICA_WORKER_WORKERS=2", "ARCHIVEMATICA_WORKER_DB_PASSWORD=secret",
                 "ARCHIVEMATICA_MCPCLIENT_WORKERS=9"});
  CHECK(settings.gearman_servers == "ccp:12345");
  CHECK(settings.shared_directory == "/srv/shared/");
  CHECK(settings.max_processes == 2);
  CHECK_FALSE(settings.capture_client_script_output);
  CHECK(settings.remarks.empty());
  CHECK(ccp(file, {"ARCHIVEMATICA_WORKER_MAIN_SHARED_DIR=/x/"}).shared_directory == "/x/");
  CHECK(settings.metrics_address.empty());
  CHECK(ccp(file, {"ARCHIVEMATICA_WORKER_MAIN_PROMETHEUS_BIND_PORT=7999"}).metrics_address == "0.0.0.0:7999");
  CHECK(ccp(file, {"ARCHIVEMATICA_WORKER_MAIN_PROMETHEUS_BIND_PORT=7999",
                   "ARCHIVEMATICA_WORKER_MAIN_PROMETHEUS_BIND_ADDRESS=127.0.0.1"})
            .metrics_address == "127.0.0.1:7999");
}

TEST_CASE("foreign config: AtoM") {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "config");
  std::filesystem::create_directories(folder / "apps/qubit/config");
  const std::string root = std::filesystem::canonical(folder.path()).string();
  const std::string gearman = folder.write("config/gearman.yml", R"(all:
  servers:
    default: 127.0.0.1:4730
    second: other:4731
  worker_types:
    general:
      - arFindingAidJob
    acl:
      - arInheritRightsJob
)");
  folder.write("config/app.yml", "all:\n  upload_limit: -1\n  # a comment\n  workers_key: first\n");

  SUBCASE("the root folder gives job servers, key and the form of the key") {
    const Settings settings = atom(folder.path().string() + "/");
    CHECK(settings.gearman_servers == "127.0.0.1:4730,other:4731");
    CHECK(settings.workers_key == "first");
    CHECK(settings.workers_key_root == root);
    CHECK(settings.remarks.empty());
  }
  SUBCASE("the application's files count more, and the workers' environment more than all") {
    folder.write("apps/qubit/config/app.yml", "all:\n  workers_key: second\nworker:\n  workers_key: third\n");
    CHECK(atom(folder.path().string()).workers_key == "third");
    folder.write("apps/qubit/config/app.yml", "all:\n  workers_key: second\n");
    CHECK(atom(folder.path().string()).workers_key == "second");
  }
  SUBCASE("single files know their site by their place") {
    const Settings settings = atom(gearman);
    CHECK(settings.workers_key.empty());
    CHECK(settings.workers_key_root == root);
    const std::string elsewhere = folder.write("gearman.yml", "all:\n  servers:\n    default: a:1\n");
    CHECK(refusal([&] { atom(elsewhere); }).find("set workers_key_root") != std::string::npos);
  }
  SUBCASE("what is unknown is told, and what is no YAML refused with its line") {
    folder.write("config/app.yml", "all:\n  wrokers_key: x\nprod:\n  workers_key: y\n");
    const Settings settings = atom(folder.path().string());
    REQUIRE(settings.remarks.size() == 2);
    CHECK(std::ranges::any_of(settings.remarks, [&](const std::string& remark) {
      return remark.starts_with(folder.path().string() + "/config/app.yml:2: wrokers_key: nothing is known");
    }));
    CHECK(std::ranges::any_of(settings.remarks, [](const std::string& remark) {
      return remark.find("/config/app.yml:4: prod.workers_key: ") != std::string::npos;
    }));
    folder.write("config/app.yml", "all:\n  a: b\n c: d\n");
    CHECK(refusal([&] { atom(folder.path().string()); }).find("config/app.yml:3: this is not YAML") !=
          std::string::npos);
    std::filesystem::create_directories(folder / "empty");
    CHECK(refusal([&] { atom((folder / "empty").string()); }).find("not the root folder of an AtoM site") !=
          std::string::npos);
  }
}
