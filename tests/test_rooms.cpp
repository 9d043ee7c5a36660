// The house keeps its order: arrows point one way, and each library has one room.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace fs = std::filesystem;

namespace {

// Path below the source folder → what it includes, as it stands between the quotes or brackets.
std::map<std::string, std::vector<std::string>> read_includes() {
  std::map<std::string, std::vector<std::string>> includes;
  const fs::path top(SOURCE_FOLDER);
  for (const char* room : {"common", "clientScripts", "worker"}) {
    for (const auto& entry : fs::recursive_directory_iterator(top / room)) {
      const std::string extension = entry.path().extension();
      if (extension != ".hpp" && extension != ".cpp") continue;
      std::vector<std::string>& found = includes[fs::relative(entry.path(), top)];
      std::ifstream file(entry.path());
      for (std::string line; std::getline(file, line);) {
        if (!line.starts_with("#include ")) continue;
        const std::size_t end = line.find_first_of(">\"", 10);
        found.push_back(line.substr(10, end - 10));
      }
    }
  }
  return includes;
}

bool any_starts_with(const std::vector<std::string>& texts, const std::string& beginning) {
  return std::any_of(texts.begin(), texts.end(),
                     [&](const std::string& text) { return text.starts_with(beginning); });
}

}  // namespace

TEST_CASE("rooms") {
  const auto includes = read_includes();
  REQUIRE(includes.size() > 50);

  SUBCASE("common knows the standard library and itself only") {
    for (const auto& [file, included] : includes) {
      if (!file.starts_with("common/")) continue;
      CAPTURE(file);
      CHECK_FALSE(any_starts_with(included, "worker/"));
      CHECK_FALSE(any_starts_with(included, "boost/"));
      CHECK_FALSE(any_starts_with(included, "spdlog/"));
    }
  }
  SUBCASE("a client script knows nothing of the worker") {
    for (const auto& [file, included] : includes) {
      if (!file.starts_with("clientScripts/")) continue;
      CAPTURE(file);
      CHECK_FALSE(any_starts_with(included, "worker/"));
      if (file != "clientScripts/json_value.cpp") CHECK_FALSE(any_starts_with(included, "boost/"));
    }
  }
  SUBCASE("nothing of the journey knows a command, and the job server's side knows nothing of a batch's") {
    const std::set<std::string> journey{"worker/batch_handler",   "worker/module_registry",
                                        "worker/subprocess_pool", "worker/task_record",
                                        "worker/sqlite_record",   "worker/settings"};
    for (const auto& [file, included] : includes) {
      CAPTURE(file);
      if (file.starts_with("worker/") && !file.starts_with("worker/commands/") &&
          file != "worker/quire.cpp") {
        CHECK_FALSE(any_starts_with(included, "worker/commands/"));
      }
      if (!file.starts_with("worker/gearman_")) continue;
      for (const std::string& room : journey) CHECK_FALSE(any_starts_with(included, room));
    }
  }
  SUBCASE("a host knows the host protocol and common only") {
    for (const auto& [file, included] : includes) {
      if (!file.starts_with("worker/host/")) continue;
      CAPTURE(file);
      for (const std::string& name : included) {
        if (name.starts_with("worker/")) CHECK(name.starts_with("worker/host/"));
      }
    }
  }
  SUBCASE("each library has one room") {
    const std::map<std::string, std::set<std::string>> rooms{
        {"libgearman/", {"worker/gearman_client.cpp", "worker/gearman_connection.cpp"}},
        {"SQLiteCpp/",
         {"worker/health/record_check.cpp", "worker/owed_table.cpp", "worker/record_clearing.cpp",
          "worker/record_maintenance.hpp", "worker/record_reader.hpp", "worker/sqlite_connection.cpp",
          "worker/sqlite_connection.hpp", "worker/sqlite_record.cpp", "worker/sqlite_schema.cpp",
          "worker/sqlite_schema.hpp", "worker/sqlite_store.cpp", "worker/task_index.cpp",
          "worker/task_index.hpp", "worker/task_query.cpp"}},
        {"xxhash.h", {"worker/task_index.cpp"}},
        {"mysql.h", {"worker/mariadb_connection.cpp"}},
        {"systemd/", {"worker/service_manager.cpp"}},
        {"boost/beast", {"worker/http_server.cpp"}},
        {"openssl/", {"clientScripts/checksum.cpp", "worker/page/session.cpp", "worker/workers_key.cpp"}},
        {"boost/process", {"worker/subprocess.cpp"}},
        {"boost/property_tree", {"worker/ini_file.cpp"}},
        {"unicode/", {"clientScripts/python_text.cpp"}},
        {"libxml/", {"clientScripts/determine_aip_version.cpp"}},
        {"yaml-cpp/", {"worker/yaml_file.cpp"}},
        {"dlfcn.h", {"worker/host/native_module.cpp"}},
    };
    for (const auto& [library, allowed] : rooms) {
      std::size_t users = 0;
      for (const auto& [file, included] : includes) {
        if (!any_starts_with(included, library)) continue;
        CAPTURE(library);
        CAPTURE(file);
        CHECK(allowed.contains(file));
        ++users;
      }
      CHECK(users > 0);
    }
  }
  SUBCASE("a header includes no library header of its own room") {
    for (const auto& [file, included] : includes) {
      if (!file.starts_with("worker/") || !file.ends_with(".hpp") || file.starts_with("worker/commands/"))
        continue;
      CAPTURE(file);
      for (const char* library : {"libgearman/", "boost/", "spdlog/"})
        CHECK_FALSE(any_starts_with(included, library));
    }
  }
}
