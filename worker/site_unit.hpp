// What the systemd unit of a site's old worker says.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "worker/site_statements.hpp"

namespace quire {

struct SiteUnit {
  std::vector<std::pair<std::string, std::string>> variable_files;  // EnvironmentFile=, and the place
  std::map<std::string, SiteStatement> variables;                   // Environment=
  std::map<std::string, SiteStatement> settings;                    // python, no_new_privileges
  SiteStatement working_folder;
  std::vector<std::string> others;  // a sentence for every line that is to be seen to
};

// Reads section [Service] of the unit and of the files in PATH.d, which are laid over it. Throws
// ConfigurationError: it cannot be read.
SiteUnit read_site_unit(const std::string& path);

}  // namespace quire
