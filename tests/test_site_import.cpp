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
  return imported_configuration({path}, layout).text;
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
    CHECK(settings.pass_environment.find(" REQUESTS_CA_BUNDLE ") != std::string::npos);
    CHECK_FALSE(settings.environment.contains("REQUESTS_CA_BUNDLE"));
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
    CHECK(contains(text, unit + ":4: User: the unit of Quire has the same"));
    // Named by itself as well, it is the same file.
    CHECK(imported_configuration({unit, file}, SiteLayout::unknown).text == text);
    CHECK(imported_configuration({unit, file}, SiteLayout::unknown).variable_files ==
          std::vector<std::string>{file});
    CHECK(contains(text, unit + ": NoNewPrivileges: it is not there, so client scripts may use sudo"));
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
    CHECK(settings.client_scripts.starts_with("/srv/clientScripts/:"));
    CHECK(settings.client_scripts.ends_with("/lib/quire/clientScripts"));
    CHECK(settings.python_path ==
          "/srv:/srv/clientScripts:/usr/lib/archivematica/archivematicaCommon:/usr/share/archivematica/"
          "dashboard");
    CHECK(settings.python_prefix == "clientScripts");
    CHECK(settings.environment.at("XML_CATALOG_FILES") == "/srv/assets/catalog/catalog.xml");
    CHECK(contains(text, "#   " + conf + ":6: kioskMode: nothing here needs it."));
    // MCPClient's scripts would not find it there.
    CHECK(text.find("#   " + conf + ":7: elasticsearchServer\n") > text.find("but not from here"));
    CHECK(read(imported_configuration({file, (folder / "etc").string()}, SiteLayout::folders).text)
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
    CHECK(read(text).mariadb_settings == "ccp:" + conf);
    CHECK(read(text).metrics_prefix == "worker_");
    CHECK(read(text).client_modules.ends_with("/ccp/client_modules.conf"));
    CHECK_FALSE(contains(text, "topsecret"));
  }
  SUBCASE("an AtoM site, and a module table") {
    std::filesystem::create_directories(folder / "config");
    folder.write("config/gearman.yml", "all:\n  servers:\n    default: atom:1\n");
    folder.write("config/app.yml", "all:\n  workers_key: key\n");
    const std::string table = folder.write("modules", "[supportedBatchCommands]\nhello = hello\n");
    const Settings settings =
        read(imported_configuration({folder.path().string(), table}, SiteLayout::unknown).text);
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
    CHECK(refusal((folder / "empty").string())
              .find("archivematicaCommon/dbsettings and MCPClient/clientConfig.conf (Archivematica), "
                    "worker.conf") != std::string::npos);
    CHECK(refusal(folder.write("bad.conf", "[MCPClient]\nworkers = x\n")).find("bad.conf:2: workers: ") !=
          std::string::npos);
  }
  SUBCASE("a folder whose files are elsewhere is refused, and told what was looked for") {
    std::filesystem::create_directories(folder / "etc");
    const std::string conf = folder.write("etc/clientConfig.conf", "[MCPClient]\nworkers = 2\n");
    CHECK(refusal((folder / "etc").string()).find("the files themselves, such as " + conf) !=
          std::string::npos);
    CHECK(read(import(conf)).max_processes == 2);
    CHECK(refusal(folder.write("only", "SOMETHING=1\n")).find("is about a worker of") != std::string::npos);
  }
}

TEST_CASE("site import: the database") {
  const TemporaryFolder folder;
  SUBCASE("the files with its address are named, dbsettings among them") {
    std::filesystem::create_directories(folder / "MCPClient");
    std::filesystem::create_directories(folder / "archivematicaCommon");
    const std::string db = folder.write("archivematicaCommon/dbsettings",
                                        "[client]\nuser = am\npassword = topsecret\nconn_max_age = 60\n");
    const std::string conf =
        folder.write("MCPClient/clientConfig.conf", "[MCPClient]\n[client]\nport = 3307\n");
    const std::string text = import(folder.path().string());
    CHECK(read(text).mariadb_settings == "archivematica:" + db + ":" + conf);
    CHECK(contains(text, "; the database by " + db + ": [client]\nmariadb_settings = "));
    CHECK_FALSE(contains(text, "topsecret"));
    CHECK_FALSE(contains(text, "not known"));
  }
  SUBCASE("a clientConfig.conf by itself") {
    const std::string with = folder.write("with.conf", "[MCPClient]\n[client]\nhost = db\n");
    CHECK(read(import(with)).mariadb_settings == "archivematica:" + with);
    const std::string text = import(folder.write("without.conf", "[MCPClient]\nworkers = 2\n"));
    CHECK(read(text).mariadb_settings == "archivematica");
    CHECK(contains(text, "#   mariadb_settings: nothing that was read tells where the database is"));
    CHECK(imported_configuration({with}, SiteLayout::folders).warnings.empty());
    CHECK(imported_configuration({folder / "without.conf"}, SiteLayout::folders).warnings.size() == 1);
    CHECK(imported_configuration({with}, SiteLayout::unknown).warnings.size() == 2);
  }
  SUBCASE("variables tell it, too, unless they are empty") {
    const std::string empty = folder.write("empty", "ARCHIVEMATICA_MCPCLIENT_CLIENT_USER=\n");
    CHECK(contains(import(empty), "nothing that was read tells where the database is"));
    const std::string said = folder.write("said", "ARCHIVEMATICA_MCPCLIENT_CLIENT_USER=am\n");
    CHECK_FALSE(contains(import(said), "nothing that was read tells where the database is"));
    CHECK(read(import(said)).mariadb_settings == "archivematica");
  }
}

TEST_CASE("site import: the unit") {
  const TemporaryFolder folder;
  const std::string file = folder.write("archivematica-mcp-client", variables);
  SUBCASE("every line of it is told") {
    const std::string unit =
        folder.write("mcp.service",
                     "[Unit]\nAfter=network.target\n[Service]\nType=simple\nUser=other\n"
                     "NoNewPrivileges=no\nLimitNOFILE=4096\nExecStart=/opt/x/python3 -m \\\n x\n"
                     "WorkingDirectory=/srv\n[Install]\nWantedBy=multi-user.target\n");
    const std::string text = imported_configuration({unit, file}, SiteLayout::unknown).text;
    CHECK_FALSE(read(text).no_new_privileges);
    CHECK(contains(text, "\n# " + unit + ":6: NoNewPrivileges\nno_new_privileges = no\n"));
    CHECK(contains(text, unit + ":4: Type: the unit of Quire has what it needs"));
    CHECK(contains(text, unit + ":5: User: write it in the unit of Quire (systemctl edit), User=other."));
    CHECK(contains(
        text, unit + ":7: LimitNOFILE: write it in the unit of Quire (systemctl edit), LimitNOFILE=4096."));
    CHECK(contains(text, unit + ":10: WorkingDirectory: "));
    CHECK_FALSE(contains(text, "WantedBy"));
    CHECK(read(text).python == "/opt/x/python3");
  }
  SUBCASE("its variables count less than those of its files, as systemd has it") {
    const std::string unit = folder.write(
        "mcp.service",
        "[Service]\nEnvironment=\"A_B=c d\" LANG=C ARCHIVEMATICA_MCPCLIENT_MCPCLIENT_WORKERS=3\n"
        "EnvironmentFile=" +
            file + "\nEnvironment=ARCHIVEMATICA_MCPCLIENT_MCPCLIENT_MCPARCHIVEMATICASERVER=unit:1\n");
    const Settings settings = read(import(unit));
    CHECK(settings.gearman_servers == "gearman:4731");
    CHECK(settings.max_processes == 3);
    CHECK(settings.environment.at("A_B") == "c d");
  }
  SUBCASE("what is laid over it counts") {
    const std::string unit = folder.write("mcp.service", "[Service]\nUser=archivematica\n");
    std::filesystem::create_directories(unit + ".d");
    folder.write("mcp.service.d/own.conf", "[Service]\nEnvironmentFile=" + file + "\n");
    CHECK(read(import(unit)).gearman_servers == "gearman:4731");
  }
  SUBCASE("a file of variables that is not there is told, unless another place for it was named") {
    const std::string unit =
        folder.write("mcp.service", "[Service]\nEnvironmentFile=-/nonexistent/archivematica-mcp-client\n");
    CHECK(contains(imported_configuration({unit}, SiteLayout::package).text,
                   unit + ":2: EnvironmentFile: there is no /nonexistent/archivematica-mcp-client; name it"));
    CHECK_FALSE(contains(imported_configuration({unit, file}, SiteLayout::unknown).text, "there is no"));
  }
}

TEST_CASE("site import: variables") {
  const TemporaryFolder folder;
  SUBCASE("PYTHONPATH is joined with what the layout needs, the client's own folders first") {
    const std::string text =
        import(folder.write("variables",
                            "ARCHIVEMATICA_MCPCLIENT_WORKERS=2\nDJANGO_SETTINGS_MODULE=settings.common\n"
                            "PYTHONPATH=/usr/share/archivematica/dashboard/:/opt/more\n"));
    CHECK(read(text).python_path ==
          "/usr/lib/archivematica/MCPClient:/usr/lib/archivematica/MCPClient/clientScripts:"
          "/usr/share/archivematica/dashboard:/opt/more:/usr/lib/archivematica/archivematicaCommon");
    CHECK(contains(text, "; and " + folder.path().string() + "/variables:3: PYTHONPATH\npython_path = "));
  }
  SUBCASE("of a package it is what is said, and CCP's root is found in it") {
    CHECK(read(import(folder.write("package",
                                   "DJANGO_SETTINGS_MODULE=archivematica.x\nPYTHONPATH=/opt/more\n"
                                   "ARCHIVEMATICA_MCPCLIENT_WORKERS=2\n")))
              .python_path == "/opt/more");
    std::filesystem::create_directories(folder / "root/worker/clientScripts");
    const std::string root = folder / "root";
    const Settings settings = read(
        import(folder.write("ccp", "PYTHONPATH=/opt/more:" + root + "\nARCHIVEMATICA_WORKER_WORKERS=2\n")));
    CHECK(settings.python_path == root + ":/opt/more");
    CHECK(settings.client_assets_directory == root + "/worker/assets/");
  }
  SUBCASE("the address of the metrics") {
    CHECK(read(import(folder.write("port", "ARCHIVEMATICA_MCPCLIENT_MCPCLIENT_PROMETHEUS_BIND_PORT=7999\n")))
              .metrics_address == "0.0.0.0:7999");
    CHECK(read(import(folder.write("both",
                                   "ARCHIVEMATICA_WORKER_PROMETHEUS_BIND_PORT=7999\n"
                                   "ARCHIVEMATICA_WORKER_PROMETHEUS_BIND_ADDRESS=::1\n")))
              .metrics_address == "[::1]:7999");
    CHECK(read(import(folder.write("address", "ARCHIVEMATICA_WORKER_PROMETHEUS_BIND_ADDRESS=::1\n")))
              .metrics_address.empty());
  }
  SUBCASE("an address with a password in it is not copied") {
    const std::string text =
        import(folder.write("url", "ARCHIVEMATICA_WORKER_WORKERS=2\nOUR_URL=mysql://a:topsecret@b/c\n"));
    CHECK_FALSE(contains(text, "topsecret"));
    CHECK(contains(text, "url:2: OUR_URL: it may be a secret"));
  }
  SUBCASE("lines are sorted by their numbers") {
    std::string many = "ARCHIVEMATICA_WORKER_WORKERS=2\n";
    for (int i = 0; i < 11; ++i) many += "ARCHIVEMATICA_WORKER_NEW" + std::to_string(i) + "=1\n";
    const std::string text = import(folder.write("many", many));
    CHECK(text.find("many:9: ") < text.find("many:10: "));
  }
  SUBCASE("the site's own module table goes before ours") {
    std::filesystem::create_directories(folder /
                                        "venv/lib/python3.9/site-packages/archivematica/MCPClient/assets");
    const std::string table = folder.write(
        "venv/lib/python3.9/site-packages/archivematica/MCPClient/archivematicaClientModules", "");
    const std::string text = import(folder.write(
        "v", "PATH=" + (folder / "venv/bin").string() + "\nARCHIVEMATICA_MCPCLIENT_WORKERS=2\n"));
    CHECK(read(text).client_modules == table);
    CHECK(contains(text, "; the table that is beside its client scripts\n"));
    CHECK(read(text).client_assets_directory.ends_with("/MCPClient/assets/"));
    std::filesystem::create_directories(folder / "MCPClient/clientScripts");
    const std::string flat = folder.write("MCPClient/archivematicaClientModules", "");
    CHECK(read(import(folder.write("w", "ARCHIVEMATICA_MCPCLIENT_CLIENTSCRIPTSDIRECTORY=" +
                                            (folder / "MCPClient/clientScripts/").string() + "\n")))
              .client_modules == flat);
  }
  SUBCASE("what a quire that is not installed has made says so") {
    const std::string text = import(folder.write("v", "ARCHIVEMATICA_WORKER_WORKERS=2\n"));
    CHECK(contains(
        text,
        "not installed: write /usr/share/quire/ccp/client_modules.conf here when it is\nclient_modules"));
    CHECK(contains(text, "#client_modules = " + read(text).client_modules + ":"));
  }
}
