// How long the jobs of a script take, and its processes beside them, learned from the subsets that have run.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace quire {

class WorkEstimate {
 public:
  using Seconds = std::chrono::duration<double>;

  // A subset took so long from its start to its end, and so long from the end of its first job to that of its
  // last. One job alone tells nothing: nobody knows how much of its time was the process's.
  void observe(Seconds taken, Seconds between_ends, std::size_t jobs) {
    if (jobs < 2) return;
    const auto count = static_cast<double>(jobs);
    const Seconds beside = taken - between_ends * (count / (count - 1));
    price_ = std::clamp<Seconds>(beside, Seconds(0), known_ ? price_ : most_of_a_process);
    const Seconds each = (taken - price_) / count;
    per_job_ = known_ ? per_job_ + (each - per_job_) * 0.2 : each;
    known_ = true;
  }

  // Into how many subsets it pays to divide a batch: each should be worth the price of its process, and twice
  // that where other batches can have the processes instead. `most` as long as nothing is known.
  std::size_t worthwhile_parts(std::size_t jobs, std::size_t most, bool others_wait) const {
    // A handful of jobs is always divided: it costs little, and a crash takes fewer of them with it.
    constexpr std::size_t handful = 16;
    if (!known_ || jobs < most * handful) return most;
    const Seconds work = per_job_ * static_cast<double>(jobs);
    const Seconds price = std::max<Seconds>(price_, std::chrono::milliseconds(1));
    const Seconds worth_a_process = others_wait ? price * 2 : price;
    return std::clamp<std::size_t>(static_cast<std::size_t>(work / worth_a_process), 1, most);
  }

 private:
  // A process costs less than this. What takes longer is the work of a script that tells of its jobs when all
  // are done.
  static constexpr Seconds most_of_a_process{0.02};

  bool known_ = false;
  Seconds price_{0};  // of a process, the least that was seen
  Seconds per_job_{0};
};

}  // namespace quire
