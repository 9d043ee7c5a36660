#include "worker/host/ledger_writer.hpp"

#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <limits>
#include <system_error>

namespace quire {
namespace {

// Enough for the reports of a thousand quiet jobs; a longer frame is written as a file is.
constexpr std::size_t window_size = 64 * 1024;

}  // namespace

void LedgerWriter::append(std::string_view frame) {
  constexpr std::size_t length_size = sizeof(std::uint32_t);
  const std::string_view length = frame.substr(0, length_size);
  const std::string_view body = frame.substr(length_size);
  if (frame.size() <= window_size / 2 && make_room(frame.size())) {
    char* const to = window_ + (end_ - window_begin_);
    std::memcpy(to + length_size, body.data(), body.size());
    std::atomic_signal_fence(std::memory_order_release);
    std::memcpy(to, length.data(), length_size);
  } else {
    write(body, end_ + length_size);
    write(length, end_);
  }
  end_ += frame.size();
}

void LedgerWriter::append_from_handler(std::span<const std::string_view> parts) noexcept {
  std::array<iovec, 8> pieces{};
  std::size_t size = 0;
  if (parts.size() > pieces.size()) return;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    pieces[i] = {const_cast<char*>(parts[i].data()), parts[i].size()};
    size += parts[i].size();
  }
  if (size > std::numeric_limits<std::uint32_t>::max()) return;
  const auto length = static_cast<std::uint32_t>(size);
  // The kernel reads the bytes: where a handler has come upon a string that is just being moved, it says so
  // and does not crash.
  const ssize_t written = ::pwritev(descriptor_, pieces.data(), static_cast<int>(parts.size()),
                                    static_cast<off_t>(end_ + sizeof length));
  if (written != static_cast<ssize_t>(size)) return;
  if (::pwrite(descriptor_, &length, sizeof length, static_cast<off_t>(end_)) == sizeof length)
    end_ += sizeof length + size;
}

// False where the file cannot be mapped, as under a limit of memory that is used up.
bool LedgerWriter::make_room(std::size_t size) {
  if (window_ != nullptr && end_ >= window_begin_ && end_ + size <= window_end_) return true;
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t begin = end_ / page * page;
  const std::size_t end = begin + window_size;
  if (window_ != nullptr) ::munmap(window_, window_end_ - window_begin_);
  window_ = nullptr;
  if (::ftruncate(descriptor_, static_cast<off_t>(end)) != 0) return false;
  void* const mapped = ::mmap(nullptr, end - begin, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_,
                              static_cast<off_t>(begin));
  if (mapped == MAP_FAILED) return false;
  window_ = static_cast<char*>(mapped);
  window_begin_ = begin;
  window_end_ = end;
  return true;
}

void LedgerWriter::write(std::string_view bytes, std::size_t at) const {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) throw std::system_error(errno, std::generic_category(), "writing the ledger");
    bytes.remove_prefix(static_cast<std::size_t>(written));
    at += static_cast<std::size_t>(written);
  }
}

}  // namespace quire
