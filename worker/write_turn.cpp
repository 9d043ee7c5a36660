#include "worker/write_turn.hpp"

#include <fcntl.h>

#include <thread>

#include "worker/byte_lock.hpp"

namespace quire {
namespace {

using std::chrono::microseconds;
using std::chrono::steady_clock;

// Who has waited for long asks more often, and so gets it before those who came later. Asking costs whoever
// writes a part of its processor: with 16 processes on two, asking every millisecond took a third of it.
constexpr std::chrono::milliseconds long_wait{150};
constexpr microseconds pause{2'000};
constexpr microseconds pause_after_long_wait{500};

}  // namespace

WriteTurn::WriteTurn(const std::string& path) : file_(::open(path.c_str(), O_RDWR | O_CLOEXEC)) {}

WriteTurn::Held WriteTurn::take(std::chrono::milliseconds longest) {
  const auto begin = steady_clock::now();
  while (file_ && !byte_lock::take(file_.get(), byte_lock::next_writer)) {
    const auto waited = steady_clock::now() - begin;
    if (waited >= longest) return {};
    std::this_thread::sleep_for(waited < long_wait ? pause : pause_after_long_wait);
  }
  return Held(file_ ? &file_ : nullptr);
}

void WriteTurn::LetGo::operator()(const Descriptor* file) const {
  byte_lock::let_go(file->get(), byte_lock::next_writer);
}

}  // namespace quire
