// Which tasks are to be deleted from the record, and how far that is: plain values.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "common/timestamp.hpp"

namespace quire {

// Tasks that have ended: those to which all that is said here applies.
struct EndedTasks {
  std::string function = {};             // in lower case; empty: of any
  std::optional<Timestamp> before = {};  // those that ended before
  // How they ended; a cancelled one is neither done nor failed, whatever its exit code.
  bool done = true;
  bool failed = true;
  bool cancelled = true;
  bool owed = false;  // also those whose results the controller's database has not got
};

struct DeletionProgress {
  std::uint64_t deleted = 0;  // tasks
  std::uint64_t total = 0;    // how many there are to be deleted; 0 while they are being counted
};

// Is told how far a deletion is: before each of its short transactions, and while it waits for the file.
// False ends it there. Empty: it goes on to its end.
using DeletionWatch = std::function<bool(const DeletionProgress&)>;

}  // namespace quire
