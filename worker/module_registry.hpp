// Function → module: the module table and the folders with client scripts.
//
//   [supportedBatchCommands]
//   hello = hello
//   checksum_v0.0 = checksum
#pragma once

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "worker/module.hpp"
#include "worker/settings.hpp"

namespace quire {

// The function has no script that could be run; what() says why and what to do, for the stderr of its tasks.
struct NoSuchModule : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class ModuleRegistry {
 public:
  // Reads the module table. Throws ConfigurationError with file and line. A script that is missing is no error
  // here: its function is offered all the same and find() says why it cannot run.
  explicit ModuleRegistry(const Settings& settings);

  // All functions of the table, in lower case, in the order of the table.
  const std::vector<std::string>& functions() const;

  // The module of a function, looked up in the folders anew each time, so that a script which arrives or
  // changes is found without a restart. Throws NoSuchModule.
  Module find(const std::string& function) const;

  // The module with this name, whether the table has it or not. Throws NoSuchModule.
  Module find_module(const std::string& name) const;
};

}  // namespace quire
