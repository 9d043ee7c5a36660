// The processes that descend from one, as /proc tells them.
#pragma once

#include <cstddef>
#include <vector>

namespace quire {

// How many processes there are in the tree below and including `pid`. Stops counting at `enough`, so that a
// tree which grows without end costs no more than that. Processes that have ended but were not reaped count.
std::size_t count_processes(int pid, std::size_t enough);

// Those that this process started, or adopted as their subreaper.
std::vector<int> children_of_this_process();

}  // namespace quire
