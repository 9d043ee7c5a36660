// Looks whether a record could be written, without writing to it.
#pragma once

#include <string>

#include "common/timestamp.hpp"

namespace quire {

// Why it cannot be written, as a sentence; empty: it can, or it is not there and could be made.
std::string record_problem(const std::string& path);

// When the task ended that ended last, by what the last ones on record say; the beginning of time where there
// is none or it cannot be read.
Timestamp latest_end(const std::string& path);

}  // namespace quire
