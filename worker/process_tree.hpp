// The processes that descend from one, as /proc tells them.
#pragma once

#include <cstddef>

namespace quire {

// How many processes there are in the tree below and including `pid`. Stops counting at `enough`, so that a
// tree which grows without end costs no more than that. Processes that have ended but were not reaped count.
std::size_t count_processes(int pid, std::size_t enough);

}  // namespace quire
