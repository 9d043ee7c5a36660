#include "worker/module_check.hpp"

#include <quire/client_script.hpp>

#include <doctest/doctest.h>

#include "tests/support/temporary_folder.hpp"
#include "worker/installation.hpp"

namespace quire {

namespace {

Module native(const std::string& path) {
  return {.name = "m", .kind = ModuleKind::native, .path = path, .import_name = ""};
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("module check") {
  const Settings settings;
  SUBCASE("a module tells what it says of itself") {
    const ModuleCheck check = check_module(native(installation().client_scripts + "/checksum.so"), settings);
    CHECK(check.loaded);
    CHECK(check.concurrent_instances > 0);
    CHECK(check.independent);
  }
  SUBCASE("a module built for another version of the interface is refused with both versions named") {
    const ModuleCheck check = check_module(native(TEST_MODULES "/other_interface.so"), settings);
    CHECK_FALSE(check.loaded);
    CHECK(contains(check.text, "4711"));
    CHECK(contains(check.text, "has version " + std::to_string(interface_version)));
  }
  SUBCASE("a library that is no client script is refused") {
    const ModuleCheck check = check_module(native(TEST_MODULES "/not_a_script.so"), settings);
    CHECK_FALSE(check.loaded);
    CHECK(contains(check.text, "quire/client_script.hpp"));
  }
  SUBCASE("a file that is no library at all is refused with the loader's reason") {
    const test::TemporaryFolder folder;
    const ModuleCheck check = check_module(native(folder.write("broken.so", "not ELF")), settings);
    CHECK_FALSE(check.loaded);
    CHECK(contains(check.text, "broken.so"));
  }
}

}  // namespace quire
