// Configuration files in YAML, as AtoM has them.
//
//   all:
//     servers:
//       default: 127.0.0.1:4730
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace quire {

// A value that is not divided any further; null is the empty text.
struct YamlEntry {
  std::vector<std::string> path;  // all, servers, default; the items of a list are called 0, 1 and so on
  std::string value;
  std::size_t line = 0;
};

// Its values in the order of the file. Throws ConfigurationError: the file cannot be read, or is no YAML.
std::vector<YamlEntry> read_yaml_file(const std::string& path);

}  // namespace quire
