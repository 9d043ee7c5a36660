// A configuration file or module table of any bytes is read or refused with a sentence; never anything else.
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.hpp"
#include "worker/ini_file.hpp"
#include "worker/module_registry.hpp"
#include "worker/settings.hpp"

using namespace quire;
using fuzz::check;

namespace {

// A file in memory, with a path.
class File {
 public:
  explicit File(std::string_view text) : descriptor_(::memfd_create("ini", MFD_CLOEXEC)) {
    check(::write(descriptor_, text.data(), text.size()) == static_cast<ssize_t>(text.size()),
          "cannot write");
  }
  ~File() { ::close(descriptor_); }
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

template <typename Read>
void refused_or_read(const std::string& path, Read read) {
  try {
    read();
  } catch (const ConfigurationError& error) {
    const std::string_view sentence = error.what();
    check(sentence.find(path) != sentence.npos, "an error that does not name the file");
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const File file(fuzz::text_of(data, size));
  const std::string path = file.path();
  refused_or_read(path, [&] {
    for (const IniEntry& entry : read_ini_file(path).entries)
      check(!entry.key.empty(), "a key that is empty");
  });
  refused_or_read(path, [&] {
    Settings settings;
    read_settings_file(settings, path);
  });
  refused_or_read(path, [&] {
    Settings settings;
    settings.client_modules = path;
    settings.client_scripts = "/nonexistent";
    const ModuleRegistry registry(settings);
    for (const std::string& function : registry.functions()) {
      try {
        registry.find(function);
        fuzz::wrong("a module where there is none");
      } catch (const NoSuchModule&) {
      }
    }
  });
  return 0;
}
