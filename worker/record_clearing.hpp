// Deletes tasks that have ended from a record, while workers write to it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/timestamp.hpp"

namespace quire {

// Which of the tasks that have ended; all of them where nothing is said.
struct Clearing {
  std::string function = {};             // in lower case; empty: of any
  std::optional<Timestamp> before = {};  // those that ended before
  std::optional<bool> failed = {};  // true: with another exit code than 0 (cancelled ones too); false: with 0
};

// Gives how many were deleted. In short transactions; throws std::runtime_error with a sentence when the
// record cannot be written, and what was deleted before stays so.
std::uint64_t clear_record(const std::string& path, const Clearing& which);

}  // namespace quire
