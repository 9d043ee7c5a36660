#include "compliance.hpp"

#include <set>

#include "file_system.hpp"

namespace quire {

std::int64_t verify_compliance(Job& job, const std::string& unit) {
  static const std::set<std::string> allowed{"objects", "logs", "metadata"};
  std::int64_t problems = 0;
  const auto tell = [&](const char* problem, const std::string& name) {
    job.print_error(problem, name);
    ++problems;
  };
  for (const char* name : {"objects", "logs", "metadata", "metadata/submissionDocumentation"}) {
    if (!is_directory(join(unit, name))) tell("Required Directory Does Not Exist:", name);
  }
  for (const FolderEntry& entry : list_folder(unit)) {
    const bool folder = is_directory(join(unit, entry.name));
    if (folder && !allowed.contains(entry.name)) tell("Error, directory exists:", entry.name);
    if (!folder && entry.name != "processingMCP.xml") tell("Error, file exists:", entry.name);
  }
  return problems;
}

}  // namespace quire
