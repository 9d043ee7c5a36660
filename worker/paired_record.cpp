#include "worker/paired_record.hpp"

#include <algorithm>
#include <future>
#include <system_error>

namespace quire {
namespace {

// Does one thing beside the other; one after the other where the system has no thread to give.
template <typename One, typename Other>
void side_by_side(One one, Other other) {
  std::future<void> under_way;
  try {
    under_way = std::async(std::launch::async, one);
  } catch (const std::system_error&) {
    one();
  }
  other();
  if (under_way.valid()) under_way.get();
}

// What the database needs to know of tasks that begin. It has tasks of its own to answer, since both records
// may answer the same one.
std::vector<Task> copies(const std::vector<Task*>& tasks) {
  std::vector<Task> result;
  result.reserve(tasks.size());
  for (const Task* task : tasks) {
    Task& copy = result.emplace_back();
    copy.id = task->id;
    copy.wants_output = task->wants_output;
  }
  return result;
}

// Puts the database's answer beside that of our own record.
void merge(Task& task, Task& in_database) {
  if (!in_database.result) return;
  TaskResult& theirs = *in_database.result;
  if (!task.result || task.result->exit_code != theirs.exit_code) {
    task.result = std::move(theirs);
    task.result->on_record = false;  // not on ours
  }
  task.result->in_database = true;
}

}  // namespace

TaskRecord::Begun PairedRecord::begin(const Batch& batch, const std::vector<Task*>& tasks) {
  Batch asked{.function = batch.function,
              .handle = batch.handle,
              .unique = batch.unique,
              .tasks = copies(tasks),
              .workload = {}};
  std::vector<Task*> pointers;
  pointers.reserve(asked.tasks.size());
  for (Task& task : asked.tasks) pointers.push_back(&task);

  Begun begun;
  side_by_side([&] { database_.begin(asked, pointers); }, [&] { begun = own_.begin(batch, tasks); });

  for (std::size_t i = 0; i < tasks.size(); ++i) merge(*tasks[i], asked.tasks[i]);
  const auto answered = [](const Task* task) { return task->result.has_value(); };
  std::erase_if(begun.to_run, answered);
  std::erase_if(begun.elsewhere, answered);
  return begun;
}

void PairedRecord::interrupted(const Batch& batch, const std::vector<Task*>& tasks) {
  side_by_side([&] { database_.interrupted(batch, tasks); }, [&] { own_.interrupted(batch, tasks); });
}

void PairedRecord::finished(const Batch& batch) {
  // While our own record is in trouble, too, memory is all there is.
  if (!debts_ || !debts_->own.state().healthy) {
    return side_by_side([&] { database_.finished(batch); }, [&] { own_.finished(batch); });
  }
  // Who answers a batch has its results in the database, or noted as owed. A worker that is killed in between
  // has not answered it: it comes again, and its results then go from our record to the database.
  bool written = false;
  if (debts_->database.state().healthy) {
    side_by_side([&] { written = debts_->database.finish(batch); }, [&] { own_.finished(batch); });
    if (written) return;
    debts_->own.owed(batch);
  } else {
    debts_->own.finished_and_owed(batch);
  }
  debts_->owed.noted();
}

void PairedRecord::delivered(const std::string& handle, const std::string& unique, bool has_arrived) {
  own_.delivered(handle, unique, has_arrived);
}

}  // namespace quire
