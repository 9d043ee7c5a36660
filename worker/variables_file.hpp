// Files of variables, as systemd reads them for EnvironmentFile=.
//
//   # a comment; so is a line that begins with ;
//   LANG="en_US.UTF-8"
//   ARCHIVEMATICA_MCPCLIENT_CLIENT_PASSWORD='50% off'
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace quire {

struct FileVariable {
  std::string name;
  std::string value;
  std::size_t line = 0;  // where it begins
};

// In the order of the file; of those with one name the last counts. A shell's "export" before a name is
// passed over. Throws ConfigurationError: the file cannot be read, or a line of it is none of these.
std::vector<FileVariable> read_variables_file(const std::string& path);

// Puts what the file says into the environment of this process, over what is there. A file with - before its
// path may be missing. Throws ConfigurationError. REQUIRES: no other thread runs
void load_variables_file(const std::string& path);

}  // namespace quire
