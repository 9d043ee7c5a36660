// Entries that could not be written, kept in memory in their order until they can be. Used by one thread.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "worker/record_entry.hpp"

namespace quire {

class RecordBacklog {
 public:
  // limit: how many bytes are kept, roughly.
  explicit RecordBacklog(std::size_t limit) : limit_(limit) {}

  // Keeps a copy of the entry. Gives those that had to make room for it, the oldest ones, as sentences.
  std::vector<std::string> keep(const RecordEntry& entry);

  // The result of a task that has ended according to what is kept here; else null.
  const TaskResult* result_of(const std::string& task) const;

  bool empty() const { return kept_.empty(); }
  std::size_t size() const { return kept_.size(); }
  std::size_t results() const { return results_.size(); }

  // The oldest entries, at most so many. They live until drop().
  std::vector<RecordEntry> oldest(std::size_t most) const;

  // The oldest ones have been written.
  void drop(std::size_t count);

 private:
  // What an entry points to, as its own.
  struct Kept {
    RecordEntry entry;
    Batch batch = {};
    std::vector<Task*> tasks = {};
    TaskRecord::Begun begun = {};
    std::size_t bytes = 0;
  };

  std::size_t limit_;
  std::size_t bytes_ = 0;
  std::deque<std::unique_ptr<Kept>> kept_;
  std::unordered_map<std::string, const TaskResult*> results_;  // by task id
};

}  // namespace quire
