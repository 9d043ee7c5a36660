// Where a virtual environment keeps its packages.
#pragma once

#include <filesystem>
#include <system_error>
#include <vector>

namespace quire {

// Of the environment that the interpreter belongs to, PREFIX/bin/python: PREFIX/lib/python*/site-packages, as
// far as there is something of such a name that can be read.
inline std::vector<std::filesystem::path> site_packages(const std::filesystem::path& python) {
  std::vector<std::filesystem::path> folders;
  std::error_code error;
  const std::filesystem::path libraries = python.parent_path().parent_path() / "lib";
  for (std::filesystem::directory_iterator folder(libraries, error), end; !error && folder != end;
       folder.increment(error)) {
    if (folder->path().filename().string().starts_with("python"))
      folders.push_back(folder->path() / "site-packages");
  }
  return folders;
}

}  // namespace quire
