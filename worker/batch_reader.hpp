// From the text of a workload to its tasks: the JSON of the wire on its way in.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "worker/batch.hpp"

namespace quire {

// What a workload says. Tasks are in its order, one for each id as often as it stands there; those that are
// not what the contract says have their result, the others wait for theirs.
struct WorkloadText {
  std::vector<Task> tasks;
  // Why no task can be run, as a sentence; empty when the text is sound. Tasks may have been read all the
  // same, so that they can be answered.
  std::string mistake;
};

// Never throws for what the text says. Takes time and memory in proportion to the text.
WorkloadText read_workload(std::string_view workload);

}  // namespace quire
