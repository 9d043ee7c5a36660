// The end of a subset's ledger, to which its process appends what becomes of the jobs.
//
// The end is mapped, so that a report is a copy in memory and no system call; what has been copied is in the
// file however the process ends. The file then ends with zeros, which readers take for its end. A frame is
// there as soon as its length is, which is written last.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace quire {

// Of one process that appends alone. The descriptor is borrowed.
class LedgerWriter {
 public:
  // end: where the head of the ledger ends.
  LedgerWriter(int descriptor, std::size_t end) : descriptor_(descriptor), end_(end) {}

  // Appends one whole frame: its length and what follows. Throws std::system_error when the file cannot take
  // it.
  void append(std::string_view frame);

  // The same for a signal handler: no memory is taken, and bytes that cannot be read, or a file that cannot
  // take them, leave the ledger as it was. parts: what follows the length, which is not among them; eight at
  // most.
  void append_from_handler(std::span<const std::string_view> parts) noexcept;

 private:
  bool make_room(std::size_t size);
  void write(std::string_view bytes, std::size_t at) const;

  const int descriptor_;
  std::size_t end_;               // in the file: where the next frame begins
  char* window_ = nullptr;        // the mapped part of the file
  std::size_t window_begin_ = 0;  // in the file
  std::size_t window_end_ = 0;    // likewise
};

}  // namespace quire
