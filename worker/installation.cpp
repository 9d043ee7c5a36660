#include "worker/installation.hpp"

#include <filesystem>

namespace quire {

Installation installation_of(const std::string& program) {
  const std::filesystem::path prefix = std::filesystem::path(program).parent_path().parent_path();
  return {.prefix = prefix,
          .program = prefix / "bin" / "quire",
          .native_host = prefix / QUIRE_LIBEXEC_DIR / "quire-host",
          .python_host = prefix / QUIRE_LIBEXEC_DIR / "quire_host.py",
          .client_scripts = prefix / QUIRE_SCRIPTS_DIR,
          .client_modules = prefix / QUIRE_SHARE_DIR / "client_modules.conf",
          .gearmand_file = prefix / QUIRE_SHARE_DIR / "gearmand.conf"};
}

const Installation& installation() {
  static const Installation found = installation_of(std::filesystem::read_symlink("/proc/self/exe"));
  return found;
}

}  // namespace quire
