#include "worker/commands/line_reader.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace quire {
namespace {

constexpr std::size_t chunk = 64 * 1024;

bool is_readable(int descriptor, int milliseconds) {
  pollfd poll{descriptor, POLLIN, 0};
  return ::poll(&poll, 1, milliseconds) > 0;
}

}  // namespace

LineReader::LineReader(const std::string& file, char delimiter)
    : descriptor_(file == "-" ? ::dup(STDIN_FILENO) : ::open(file.c_str(), O_RDONLY | O_CLOEXEC)),
      delimiter_(delimiter) {
  if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), file);
}

LineReader::~LineReader() { ::close(descriptor_); }

std::optional<std::string_view> LineReader::next() {
  for (;;) {
    const std::size_t end = buffer_.find(delimiter_, searched_);
    if (end != std::string::npos) {
      const std::string_view line = std::string_view(buffer_).substr(position_, end - position_);
      position_ = searched_ = end + 1;
      ++line_;
      return line;
    }
    searched_ = buffer_.size();
    if (ended_) {
      if (position_ == buffer_.size()) return std::nullopt;
      const std::string_view line = std::string_view(buffer_).substr(position_);
      position_ = buffer_.size();
      ++line_;
      return line;
    }
    if (!fill()) return std::nullopt;
  }
}

bool LineReader::fill() {
  if (!is_readable(descriptor_, 0)) return false;
  buffer_.erase(0, position_);
  searched_ -= position_;
  position_ = 0;
  const std::size_t size = buffer_.size();
  buffer_.resize(size + chunk);
  const ssize_t count = ::read(descriptor_, buffer_.data() + size, chunk);
  const int error = errno;
  buffer_.resize(size + (count > 0 ? static_cast<std::size_t>(count) : 0));
  if (count < 0 && (error == EINTR || error == EAGAIN)) return false;
  if (count < 0) throw std::system_error(error, std::generic_category());
  ended_ = count == 0;
  return true;
}

void LineReader::wait(std::chrono::milliseconds limit) const {
  is_readable(descriptor_, static_cast<int>(limit.count()));
}

bool LineReader::is_regular() const {
  struct stat status {};
  return ::fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode);
}

}  // namespace quire
