#include <doctest/doctest.h>

#include <filesystem>

#include "tests/support/temporary_folder.hpp"
#include "worker/site_import.hpp"

using namespace quire;
using test::TemporaryFolder;

namespace {

// The settings of an imported configuration, which must be one.
Settings read(const std::string& text) {
  const TemporaryFolder folder;
  Settings settings;
  read_settings_file(settings, folder.write("quire.conf", text));
  return settings;
}

std::string import(const std::string& path, SiteLayout layout = SiteLayout::unknown) {
  return imported_configuration({path}, layout);
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string refusal(const std::string& path) {
  try {
    import(path);
    return "";
  } catch (const ConfigurationError& error) {
    return error.what();
  }
}

constexpr const char* variables = R"(PATH=/opt/virtualenvs/am/bin:/usr/local/sbin:/sbin
LANG="en_US.UTF-8"
# a comment
DJANGO_SETTINGS_MODULE=archivematica.MCPClient.settings.common
ARCHIVEMATICA_MCPCLIENT_CLIENT_PASSWORD=topsecret
ARCHIVEMATICA_MCPCLIENT_MCPCLIENT_MCPARCHIVEMATICASERVER=gearman:4731
ARCHIVEMATICA_MCPCLIENT_MCPCLIENT_NEWER=1
SOME_TOKEN=topsecret
REQUESTS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt
)";

}  // namespace

TEST_CASE("site import") {
  const TemporaryFolder folder;
  const std::string file = folder.write("archivematica-mcp-client", variables);

  SUBCASE("a file of variables gives a configuration that can be read, with the place of each value") {
    const std::string text = import(file);
    const Settings settings = read(text);
    CHECK(settings.gearman_servers == "gearman:4731");
    CHECK(settings.python == "/opt/virtualenvs/am/bin/python");
    CHECK(settings.python_prefix == "archivematica.MCPClient.clientScripts");
    CHECK(settings.mariadb_settings == "archivematica");
    CHECK(settings.client_modules.ends_with("/archivematica/client_modules.conf"));
    CHECK(settings.environment.at("DJANGO_SETTINGS_MODULE") == "archivematica.MCPClient.settings.common");
    CHECK(settings.environment.at("REQUESTS_CA_BUNDLE") == "/etc/ssl/certs/ca-certificates.crt");
    CHECK(contains(text, "\n# " + file +
                             ":6: ARCHIVEMATICA_MCPCLIENT_MCPCLIENT_MCPARCHIVEMATICASERVER\n"
                             "gearman_servers = gearman:4731\n"));
    CHECK(contains(text, "#   " + file + ":7: ARCHIVEMATICA_MCPCLIENT_MCPCLIENT_NEWER: it is not known"));
    CHECK(contains(text, "#   " + file + ":8: SOME_TOKEN: it may be a secret"));
  }
  SUBCASE("no password and no other secret is copied") { CHECK_FALSE(contains(import(file), "topsecret")); }
  SUBCASE("a unit brings its interpreter and the files that it names") {
    const std::string unit =
        folder.write("archivematica-mcp-client.service",
                     "[Unit]\nDescription=x\n[Service]\nUser=archivematica\nEnvironmentFile=-" + file +
                         "\nExecStart=/srv/venv/bin/python -m archivematica.MCPClient.archivematicaClient\n");
    const std::string text = import(unit);
    CHECK(read(text).python == "/srv/venv/bin/python");
    CHECK(read(text).gearman_servers == "gearman:4731");
    CHECK(contains(text, ":4: User: write it in the unit of Quire, User=archivematica."));
  }
  SUBCASE("files of Archivematica up to 1.17, whose variables count more") {
    std::filesystem::create_directories(folder / "etc/MCPClient");
    const std::string conf =
        folder.write("etc/MCPClient/clientConfig.conf",
                     "[MCPClient]\nMCPArchivematicaServer = here:1\nclientScriptsDirectory = "
                     "/srv/clientScripts/\nworkers = 3\n"
                     "clientAssetsDirectory = /srv/assets/\nkioskMode = no\nelasticsearchServer = x\n");
    const std::string text = import((folder / "etc").string());
    const Settings settings = read(text);
    CHECK(settings.gearman_servers == "here:1");
    CHECK(settings.max_processes == 3);
    CHECK(settings.client_scripts == "/srv/clientScripts/");
    CHECK(settings.python_prefix == "clientScripts");
    CHECK(settings.environment.at("XML_CATALOG_FILES") == "/srv/assets/catalog/catalog.xml");
    CHECK(contains(text, "#   " + conf + ":6: kioskMode: nothing here needs it."));
    CHECK(contains(text, "#   " + conf + ":7: elasticsearchServer\n"));
    CHECK(read(imported_configuration({file, (folder / "etc").string()}, SiteLayout::folders))
              .gearman_servers == "gearman:4731");
  }
  SUBCASE("a file of CCP's worker") {
    const std::string conf = folder.write(
        "worker.conf",
        "[main]\ngearman_server = ccp:1\nshared_dir = /srv/shared\n[db]\npassword = topsecret\n");
    const std::string text = import(conf);
    CHECK(read(text).gearman_servers == "ccp:1");
    CHECK(read(text).shared_directory == "/srv/shared/");
    CHECK(read(text).python_prefix == "worker.clientScripts");
    CHECK(read(text).mariadb_settings == "ccp");
    CHECK(read(text).client_modules.ends_with("/ccp/client_modules.conf"));
    CHECK_FALSE(contains(text, "topsecret"));
  }
  SUBCASE("an AtoM site, and a module table") {
    std::filesystem::create_directories(folder / "config");
    folder.write("config/gearman.yml", "all:\n  servers:\n    default: atom:1\n");
    folder.write("config/app.yml", "all:\n  workers_key: key\n");
    const std::string table = folder.write("modules", "[supportedBatchCommands]\nhello = hello\n");
    const Settings settings =
        read(imported_configuration({folder.path().string(), table}, SiteLayout::unknown));
    CHECK(settings.gearman_servers == "atom:1");
    CHECK(settings.workers_key == "key");
    CHECK(settings.workers_key_root == std::filesystem::canonical(folder.path()).string());
    CHECK(settings.client_modules == table);
    CHECK(settings.python_prefix.empty());
  }
  SUBCASE("what is none of these is refused by its name") {
    CHECK(refusal(folder.write("other.conf", "[other]\na = b\n")).find("other.conf: this is not a file of") !=
          std::string::npos);
    CHECK(refusal(folder.write("text", "words\n")).find("text:1: expected NAME=value") != std::string::npos);
    CHECK(refusal((folder / "none").string()).find("none: cannot be read") != std::string::npos);
    std::filesystem::create_directories(folder / "empty");
    CHECK(refusal((folder / "empty").string()).find("nothing in this folder is known") != std::string::npos);
    CHECK(refusal(folder.write("bad.conf", "[MCPClient]\nworkers = x\n")).find("bad.conf:2: workers: ") !=
          std::string::npos);
  }
}
