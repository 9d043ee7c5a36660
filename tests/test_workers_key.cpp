#include <doctest/doctest.h>

#include "worker/workers_key.hpp"

using namespace quire;

namespace {

std::string prefix(const std::string& key, const std::string& root = "") {
  Settings settings;
  settings.workers_key = key;
  settings.workers_key_root = root;
  return function_prefix(settings).text();
}

std::string refusal(const std::string& key, const std::string& root = "") {
  try {
    prefix(key, root);
    return "";
  } catch (const ConfigurationError& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("workers key") {
  SUBCASE("without one, functions have their own names") { CHECK(prefix("").empty()); }
  SUBCASE("a key stands before the function as it is written") {
    CHECK(prefix("Site_1.test") == "Site_1.test-");
  }
  SUBCASE("AtoM's form is the MD5 of root folder and key") {
    // printf %s /usr/share/nginx/atom | md5sum
    CHECK(prefix("", "/usr/share/nginx/atom") == "424b6ef096d623432cfda8de25d8db88-");
    CHECK(prefix("", "/usr/share/nginx/atom//") == prefix("", "/usr/share/nginx/atom"));
    CHECK(prefix("a b", "/usr/share/nginx/atom") == prefix("", "/usr/share/nginx/atoma b"));
  }
  SUBCASE("what cannot stand before a name is refused, by the name of the setting") {
    for (const std::string bad : {"a b", "a-b", "a\tb", "ä", "a/b"}) {
      CAPTURE(bad);
      CHECK(refusal(bad).starts_with("workers_key: \"" + bad + "\" "));
    }
    CHECK(refusal(std::string(64, 'k')) == "");
    CHECK(refusal(std::string(65, 'k')) != "");
    CHECK(refusal("", "usr/share/nginx/atom").starts_with("workers_key_root: "));
  }
}

TEST_CASE("function prefix") {
  const FunctionPrefix site("site1-");
  CHECK(site.on_server("hello") == "site1-hello");
  CHECK(site.function_of("site1-hello") == "hello");
  CHECK_FALSE(site.function_of("site2-hello").has_value());
  CHECK_FALSE(site.function_of("hello").has_value());
  CHECK(FunctionPrefix().function_of("site2-hello") == "site2-hello");
}
