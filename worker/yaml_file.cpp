#include "worker/yaml_file.hpp"

#include <yaml-cpp/yaml.h>

#include "worker/settings.hpp"

namespace quire {
namespace {

void walk(const YAML::Node& node, std::vector<std::string>& path, std::vector<YamlEntry>& entries) {
  const auto descend = [&](const std::string& name, const YAML::Node& child) {
    path.push_back(name);
    walk(child, path, entries);
    path.pop_back();
  };
  if (node.IsMap()) {
    for (const auto& pair : node) descend(pair.first.as<std::string>(), pair.second);
  } else if (node.IsSequence()) {
    std::size_t number = 0;
    for (const YAML::Node& item : node) descend(std::to_string(number++), item);
  } else {
    const std::size_t line = static_cast<std::size_t>(node.Mark().line + 1);
    entries.push_back({path, node.IsScalar() ? node.Scalar() : "", line});
  }
}

}  // namespace

std::vector<YamlEntry> read_yaml_file(const std::string& path) try {
  std::vector<YamlEntry> entries;
  std::vector<std::string> names;
  walk(YAML::LoadFile(path), names, entries);
  return entries;
} catch (const YAML::BadFile&) {
  throw ConfigurationError(path + ": cannot be read; correct its name, or take it out of the setting.");
} catch (const YAML::Exception& error) {
  throw ConfigurationError(path + ":" + std::to_string(error.mark.line + 1) +
                           ": this is not YAML: " + error.msg + ".");
}

}  // namespace quire
