#include "worker/privileges.hpp"

#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

namespace quire {
namespace {

// Well above what ten thousand batches in hand need, and nothing that a loop over all descriptors would feel.
constexpr rlim_t enough_open_files = 262'144;

unsigned long started_with = 0;

[[noreturn]] void refuse(const std::string& sentence) { throw ConfigurationError(sentence); }

void check(int result, const char* what) {
  if (result != 0) {
    refuse(std::string("user and group: ") + what + ": " + std::generic_category().message(errno) + ".");
  }
}

const passwd& user_named(const std::string& name) {
  errno = 0;
  const passwd* const found = ::getpwnam(name.c_str());
  if (found == nullptr)
    refuse("user: there is no user \"" + name + "\" on this host; create it, or name another one.");
  return *found;
}

gid_t group_named(const std::string& name) {
  const group* const found = ::getgrnam(name.c_str());
  if (found == nullptr) {
    refuse("group: there is no group \"" + name + "\" on this host; create it, or name another one.");
  }
  return found->gr_gid;
}

bool may_everybody_write(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && (status.st_mode & S_IWOTH) != 0;
}

}  // namespace

void drop_privileges(const Settings& settings) {
  if (settings.user.empty() && settings.group.empty()) return;
  // Read before anything is given up: a reader of these tables may need it.
  const uid_t user = settings.user.empty() ? ::getuid() : user_named(settings.user).pw_uid;
  const gid_t group = !settings.group.empty()  ? group_named(settings.group)
                      : !settings.user.empty() ? user_named(settings.user).pw_gid
                                               : ::getgid();
  if (::geteuid() != 0) {
    if (user == ::geteuid() && group == ::getegid()) return;
    refuse("user and group: only root can change to \"" + settings.user +
           (settings.group.empty() ? "" : ":") + settings.group +
           "\"; start the worker as root, or remove the settings.");
  }
  if (settings.group.empty()) {
    check(::initgroups(settings.user.c_str(), group), "the groups cannot be set");
  } else {
    check(::setgroups(1, &group), "the groups cannot be set");
  }
  check(::setresgid(group, group, group), "the group cannot be set");
  check(::setresuid(user, user, user), "the user cannot be set");
  // The kernel hides /proc/self from a process that has changed its user.
  ::prctl(PR_SET_DUMPABLE, 1);
  if (user != 0 && (::setuid(0) == 0 || ::seteuid(0) == 0)) {
    refuse("user: the privileges of root were given up and could be had again; the worker does not run so.");
  }
}

void raise_open_files_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  started_with = limit.rlim_cur;
  limit.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, enough_open_files));
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

unsigned long open_files_limit_of_children() { return started_with; }

std::string reason_not_to_run_as_root(const std::string& path) {
  for (const std::string& each : {path, std::filesystem::path(path).parent_path().string()}) {
    if (!may_everybody_write(each)) continue;
    return each + " may be written by everybody, so root does not run what is there: chmod o-w " + each +
           ", or run the worker as another user (setting user).";
  }
  return {};
}

}  // namespace quire
