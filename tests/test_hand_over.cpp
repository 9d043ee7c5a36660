// What etc/archivematica and etc/ccp have for a site that moves over.
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <regex>

#include <doctest/doctest.h>

#include "tests/support/temporary_folder.hpp"
#include "worker/module_registry.hpp"
#include "worker/site_statements.hpp"

using namespace quire;
namespace fs = std::filesystem;

namespace {

const fs::path etc = fs::path(SOURCE_FOLDER) / "etc";

ModuleRegistry tables(const std::vector<std::string>& names) {
  Settings settings;
  for (const std::string& name : names) {
    if (!settings.client_modules.empty()) settings.client_modules += ':';
    settings.client_modules += etc / name;
  }
  settings.client_scripts = CLIENT_SCRIPTS;
  settings.python_prefix = "package.clientScripts";
  return ModuleRegistry(settings);
}

bool has(const ModuleRegistry& modules, const std::string& function) {
  return std::ranges::find(modules.functions(), function) != modules.functions().end();
}

}  // namespace

TEST_CASE("hand over: the module tables") {
  const ModuleRegistry archivematica = tables({"archivematica/client_modules.conf"});
  const ModuleRegistry later = tables({"archivematica/client_modules-1.19.conf"});
  const ModuleRegistry ccp = tables({"ccp/client_modules.conf"});

  SUBCASE("they have all functions") {
    CHECK(archivematica.functions().size() == 103);
    CHECK(later.functions().size() == 102);
    CHECK(ccp.functions().size() == 97);
    for (const std::string& function : ccp.functions()) {
      CHECK(has(archivematica, function));
      CHECK(archivematica.module_name(function) == ccp.module_name(function));
    }
    CHECK(archivematica.module_name("dipgenerationhelper") == "dip_generation_helper.py");
    CHECK(later.module_name("antivirus_v0.0") == "antivirus.py");
  }
  SUBCASE("every script is the Python one, also where a native one has its name") {
    for (const std::string& function : archivematica.functions()) {
      CAPTURE(function);
      CHECK(archivematica.find(function).kind == ModuleKind::python);
    }
  }
  SUBCASE("laid over them, the native table brings no function of its own, and scripts that are there") {
    const ModuleRegistry native = tables({"archivematica/native_modules.conf"});
    CHECK(native.functions().size() >= 6);
    const ModuleRegistry both =
        tables({"archivematica/client_modules.conf", "archivematica/native_modules.conf"});
    CHECK(both.functions() == archivematica.functions());
    for (const std::string& function : native.functions()) {
      CAPTURE(function);
      CHECK(both.find(function).kind == ModuleKind::native);
      CHECK(has(ccp, function));
    }
  }
  SUBCASE("every function of Archivematica that a native script serves is in the native table") {
    const ModuleRegistry native = tables({"archivematica/native_modules.conf"});
    const ModuleRegistry shipped = tables({"client_modules.conf"});
    for (const std::string& function : shipped.functions()) {
      CAPTURE(function);
      if (has(archivematica, function)) CHECK(has(native, function));
    }
  }
}

TEST_CASE("hand over: the configurations") {
  for (const char* name : {"archivematica/quire.conf", "archivematica/quire-1.17.conf", "ccp/quire.conf"}) {
    CAPTURE(name);
    Settings settings;
    REQUIRE_NOTHROW(read_settings_file(settings, etc / name));
    CHECK(settings.environment.contains("DJANGO_SETTINGS_MODULE"));
    CHECK(settings.environment.contains("XML_CATALOG_FILES"));
    CHECK(settings.python_prefix.ends_with("clientScripts"));
    CHECK_FALSE(settings.mariadb_settings.empty());
    // The table is one that is installed from here.
    const std::string installed = "/usr/share/quire/";
    REQUIRE(settings.client_modules.starts_with(installed));
    CHECK(fs::exists(etc / settings.client_modules.substr(installed.size())));
    // As an imported configuration has it.
    CHECK(settings.pass_environment == site_environment());
  }
}

// Verified as they are, but for the path of the program, which is not installed here.
TEST_CASE("hand over: the units") {
  const test::TemporaryFolder folder;
  for (const char* name : {"archivematica/quire-archivematica.service", "ccp/quire-ccp.service"}) {
    CAPTURE(name);
    const std::string text = test::read_file(etc / name);
    CHECK(text.find("\nConflicts=") != std::string::npos);
    const std::string unit = folder.write(
        fs::path(name).filename(), std::regex_replace(text, std::regex("/usr/bin/quire"), QUIRE_PROGRAM));
    const std::string log = folder / "log";
    const int status =
        std::system(("systemd-analyze verify --man=no '" + unit + "' >'" + log + "' 2>&1").c_str());
    INFO(test::read_file(log));
    CHECK(WEXITSTATUS(status) == 0);
    CHECK(test::read_file(log).find(fs::path(name).filename()) == std::string::npos);
  }
}
