// The path of a Unix socket, however long: an address holds 107 bytes only, so the folder is named by a
// descriptor of ours instead.
#pragma once

#include <fcntl.h>

#include <filesystem>
#include <string>

#include "worker/host/descriptor.hpp"

namespace quire {

class SocketPath {
 public:
  explicit SocketPath(const std::filesystem::path& path)
      : folder_(::open(path.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)),
        short_("/proc/self/fd/" + std::to_string(folder_.get()) + "/" + path.filename().string()) {}

  // Good as long as this object lives; leads nowhere where the folder cannot be opened.
  const std::string& text() const { return short_; }

 private:
  Descriptor folder_;
  std::string short_;
};

}  // namespace quire
