// What the log tells of a batch that has been answered.
#pragma once

#include <chrono>

#include "worker/batch.hpp"

namespace quire {

// One sentence, with the ids of the tasks that failed. At level debug a line for every task, too; with
// failed_output one with what it wrote for every task that has failed now. REQUIRES: every task has a result
void tell(const Batch& batch, std::chrono::duration<double> taken, bool failed_output);

}  // namespace quire
