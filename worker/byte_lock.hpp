// Locks on single bytes of the file beside the record that its workers share (RECORD-workers). They belong to
// the open file and so to all processes that have it from the same opening, and end with the last of them.
//
//   0                   who writes next (write_turn.hpp)
//   1, 2, …             each worker, by its number in the record (worker_presence.hpp)
//   the last of 31 bits who writes what is owed to the controller's database (owed_results.hpp)
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <limits>

namespace quire::byte_lock {

constexpr off_t next_writer = 0;
constexpr off_t payer = std::numeric_limits<std::int32_t>::max();

// False when another opening has it, or the file is not open for writing. Never waits.
bool take(int file, off_t place);

void let_go(int file, off_t place);

// Whether another opening has it.
bool is_taken(int file, off_t place);

}  // namespace quire::byte_lock
