// A worker of a few lines, for tests of what submits.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>

namespace quire::test {

class AnsweringWorker {
 public:
  // Gives the reply to a workload, or nothing to fail the job. Called in the worker's thread.
  using Answer = std::function<std::optional<std::string>(const std::string& workload)>;

  // Serves the functions in a thread of its own from now on until the end of its scope.
  AnsweringWorker(std::uint16_t port, std::map<std::string, Answer> functions);
  ~AnsweringWorker();

 private:
  std::map<std::string, Answer> functions_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

// Answers every task of a workload: exit code 0, "did ARGUMENTS" as output; a task whose arguments contain
// "fail" ends with exit code 3 and "cannot do ARGUMENTS" as error.
std::optional<std::string> do_tasks(const std::string& workload);

}  // namespace quire::test
