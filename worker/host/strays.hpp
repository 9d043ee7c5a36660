// Processes that a subset has left behind, and that have come to us as their subreaper.
#pragma once

#include <functional>

#include <sys/types.h>

namespace quire {

// Ends and reaps all children of this process but those that are spared. All are killed before one is waited
// for: among them may be some that fork without end.
void end_children_but(const std::function<bool(pid_t)>& spared);

}  // namespace quire
