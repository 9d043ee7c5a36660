#include "worker/log_output.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace quire::logs {
namespace {

// Appending, so that several workers may share a file and a truncated one begins at its beginning.
Descriptor open_file(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
  if (!file) {
    throw std::runtime_error("The log file " + path +
                             " cannot be opened: " + std::generic_category().message(errno) + " (log_file).");
  }
  return file;
}

// Whether all of it was written; errno says why not.
bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

Output::Output(const std::string& path) : path_(path), file_(open_file(path)) {}

void Output::write(std::string_view line) {
  if (path_.empty()) {
    write_all(STDERR_FILENO, line);  // there is nobody else to tell
    return;
  }
  std::string why;
  try {
    if (was_moved()) file_ = open_file(path_);
  } catch (const std::runtime_error& error) {
    why = error.what();  // the file that was moved away still takes lines
  }
  const bool written = write_all(file_.get(), line);
  if (!written) {
    why = "The log file " + path_ + " cannot be written: " + std::generic_category().message(errno) +
          " (log_file).";
  }
  if (why != trouble_ && !why.empty()) write_all(STDERR_FILENO, why + '\n');
  trouble_ = std::move(why);
  if (!written) write_all(STDERR_FILENO, line);
}

bool Output::was_moved() const {
  struct stat there {};
  struct stat ours {};
  if (::stat(path_.c_str(), &there) != 0) return true;
  return ::fstat(file_.get(), &ours) == 0 && (there.st_ino != ours.st_ino || there.st_dev != ours.st_dev);
}

}  // namespace quire::logs
