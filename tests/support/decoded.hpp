// Workloads decoded for a test, and what its checks ask of the tasks in them.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "worker/batch.hpp"

namespace quire {

inline const ArgumentSettings argument_settings{.shared_directory = "/var/archivematica/sharedDirectory/",
                                                .client_scripts_directory = "/usr/lib/quire/clientScripts/",
                                                .client_assets_directory = "/usr/lib/quire/assets/"};

inline Batch decode(std::string workload) {
  return decode_batch({.function = "Hello_v0.0",
                       .handle = "H:host:1",
                       .unique = "batch-uuid",
                       .workload = std::move(workload),
                       .server = "127.0.0.1:4730"},
                      argument_settings);
}

// The only task of a workload that consists of it.
inline Task decode_task(const std::string& fields) {
  Batch batch = decode(R"({"tasks": {"a": )" + fields + "}}");
  REQUIRE(batch.tasks.size() == 1);
  return std::move(batch.tasks[0]);
}

// The sentence that a task was failed with, or what tells that it was not.
inline std::string failure(const Task& task) {
  if (!task.result) return "not failed";
  CHECK(task.result->exit_code == 1);
  CHECK(task.result->finished.has_value());
  return task.result->error;
}

inline std::vector<std::string> ids(const Batch& batch) {
  std::vector<std::string> found;
  for (const Task& task : batch.tasks) found.push_back(task.id);
  return found;
}

}  // namespace quire
