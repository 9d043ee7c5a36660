// How long the jobs of a script take, learned from the subsets that have run.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace quire {

class WorkEstimate {
 public:
  using Seconds = std::chrono::duration<double>;

  // A subset took so long from its start to its end.
  void observe(Seconds taken, std::size_t jobs) {
    // What the shortest one took is the price of a process rather than of the jobs.
    overhead_ = known_ ? std::min(overhead_, taken) : taken;
    const Seconds each = (taken - overhead_) / static_cast<double>(jobs);
    per_job_ = known_ ? per_job_ + (each - per_job_) * 0.2 : each;
    known_ = true;
  }

  // Into how many subsets it pays to divide a batch where other batches can have the processes instead: each
  // should be worth the price of its process. `most` as long as nothing is known.
  std::size_t worthwhile_parts(std::size_t jobs, std::size_t most) const {
    // A handful of jobs is always divided: it costs little, and a crash takes fewer of them with it.
    constexpr std::size_t handful = 16;
    if (!known_ || jobs < most * handful) return most;
    const Seconds work = per_job_ * static_cast<double>(jobs);
    const Seconds worth_a_process = std::max<Seconds>(overhead_, std::chrono::milliseconds(1)) * 2;
    return std::clamp<std::size_t>(static_cast<std::size_t>(work / worth_a_process), 1, most);
  }

 private:
  bool known_ = false;
  Seconds overhead_{0};
  Seconds per_job_{0};
};

}  // namespace quire
