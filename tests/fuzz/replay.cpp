// Gives a fuzz target every file of a folder, once: the corpus as a test. An empty folder is an error.
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/fuzz/fuzz.hpp"

int main(int count, char** arguments) {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(count == 2 ? arguments[1] : "")) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    ++files;
  }
  std::printf("%zu files\n", files);
  return files > 0 ? 0 : 1;
}
