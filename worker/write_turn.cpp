#include "worker/write_turn.hpp"

#include <fcntl.h>

#include <thread>

namespace quire {
namespace {

using std::chrono::microseconds;
using std::chrono::steady_clock;

// Who has waited for long asks more often, and so gets it before those who came later. Asking costs whoever
// writes a part of its processor: with 16 processes on two, asking every millisecond took a third of it.
constexpr std::chrono::milliseconds long_wait{150};
constexpr microseconds pause{2'000};
constexpr microseconds pause_after_long_wait{500};

// The byte before those of the workers (WorkerPresence), whose numbers begin with one.
bool set(int file, short type) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = 0;
  lock.l_len = 1;
  return ::fcntl(file, F_OFD_SETLK, &lock) == 0;
}

}  // namespace

WriteTurn::WriteTurn(const std::string& path) : file_(::open(path.c_str(), O_RDWR | O_CLOEXEC)) {}

WriteTurn::Held WriteTurn::take(std::chrono::milliseconds longest) {
  const auto begin = steady_clock::now();
  while (file_ && !set(file_.get(), F_WRLCK)) {
    const auto waited = steady_clock::now() - begin;
    if (waited >= longest) return {};
    std::this_thread::sleep_for(waited < long_wait ? pause : pause_after_long_wait);
  }
  return Held(file_ ? &file_ : nullptr);
}

void WriteTurn::LetGo::operator()(const Descriptor* file) const { set(file->get(), F_UNLCK); }

}  // namespace quire
