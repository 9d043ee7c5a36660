// A private folder for one test.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace quire::test {

// Made empty under the system's folder for temporary files; removed with all that is in it at the end of its
// scope, unless the test has failed by then: in that case it stays as evidence and its path is printed.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::filesystem::path& name) const { return path_ / name; }

  // Writes a file, replacing it, and returns its path.
  std::string write(const std::filesystem::path& name, std::string_view content) const;

 private:
  std::filesystem::path path_;
};

// The content of a file. Throws std::system_error when it cannot be read.
std::string read_file(const std::filesystem::path& path);

}  // namespace quire::test
