#include "worker/privileges.hpp"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "tests/support/temporary_folder.hpp"

namespace quire {

namespace {

std::string refusal(const Settings& settings) {
  try {
    drop_privileges(settings);
  } catch (const ConfigurationError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("privileges") {
  SUBCASE("without user and group nothing changes") {
    const uid_t before = ::geteuid();
    CHECK(refusal({}) == "");
    CHECK(::geteuid() == before);
  }
  SUBCASE("names that do not exist are told") {
    Settings settings;
    settings.user = "no-such-user";
    CHECK(refusal(settings).find("there is no user \"no-such-user\"") != std::string::npos);
    settings.user = "";
    settings.group = "no-such-group";
    CHECK(refusal(settings).find("there is no group \"no-such-group\"") != std::string::npos);
  }
  SUBCASE("root changes to the user for good; others cannot change at all") {
    const pid_t child = ::fork();
    if (child == 0) {
      Settings settings;
      settings.user = "daemon";
      const bool root = ::geteuid() == 0;
      const std::string error = refusal(settings);
      gid_t groups[8];
      if (!root) ::_exit(error.find("only root can change to \"daemon\"") != std::string::npos ? 0 : 1);
      if (!error.empty() || ::getuid() == 0 || ::geteuid() != ::getuid() || ::getegid() == 0) ::_exit(2);
      if (::setuid(0) == 0 || ::seteuid(0) == 0 || ::setgid(0) == 0) ::_exit(3);
      const int count = ::getgroups(8, groups);
      for (int i = 0; i < count; ++i) {
        if (groups[i] == 0) ::_exit(4);
      }
      // The worker looks at its own descriptors.
      ::_exit(::access("/proc/self/fd", R_OK) == 0 ? 0 : 5);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
  }
  SUBCASE("what everybody may write is not for root to run") {
    const test::TemporaryFolder folder;
    folder.write("script.py", "");
    const std::string script = (folder.path() / "script.py").string();
    CHECK(reason_not_to_run_as_root(script).empty());
    REQUIRE(::chmod(script.c_str(), 0666) == 0);
    CHECK(reason_not_to_run_as_root(script).find("chmod o-w " + script) != std::string::npos);
    REQUIRE(::chmod(script.c_str(), 0644) == 0);
    REQUIRE(::chmod(folder.path().c_str(), 0777) == 0);
    CHECK(reason_not_to_run_as_root(script).find("chmod o-w " + folder.path().string()) != std::string::npos);
  }
}

}  // namespace quire
