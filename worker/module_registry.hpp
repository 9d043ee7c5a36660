// Function → module: the module table and the folders with client scripts.
//
//   [supportedBatchCommands]
//   hello = hello
//   checksum_v0.0 = checksum
//
// A module NAME is the one file NAME.so, NAME.py or NAME (an executable) in all the folders together; NAME.so
// and NAME.py are that one, whatever else there is. With a setting python_prefix, NAME is the Python script
// where there is one, in these folders or where the prefix leads to: a site's own table means its own
// scripts. A NAME or NAME.py without any file is a Python module that the interpreter finds by itself.
//
// There may be several tables, one laid over the other: a function is what the last one with it says.
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

// May be used by many threads at once.
class ModuleRegistry {
 public:
  // Reads the module tables. Throws ConfigurationError with file and line. A script that is missing is no
  // error here: its function is offered all the same and find() says why it cannot run.
  explicit ModuleRegistry(const Settings& settings);

  // All functions of the tables, in lower case, in the order of the tables.
  const std::vector<std::string>& functions() const;

  // The tables' word for the module of a function. Throws NoSuchModule when no table has such a function.
  const std::string& module_name(const std::string& function) const;

  // The module of a function as the folders are now, so that a script which arrives or changes is found
  // without a restart. Throws NoSuchModule.
  Module find(const std::string& function) const;

  // The module with this name, whether a table has it or not. Throws NoSuchModule.
  Module find_module(const std::string& name) const;

  // For whoever types a name: the module of a function where a table has one of this name, else the module.
  // Throws NoSuchModule.
  Module find_function_or_module(const std::string& name) const;

 private:
  class Found;

  void read_table(const std::string& path);
  std::vector<Module> files_of(const std::string& name) const;
  bool is_in_package(const std::string& name) const;
  [[noreturn]] void refuse_missing(const std::string& name) const;

  std::string tables_;  // the files, separated by colons
  std::vector<std::string> folders_;
  std::string import_prefix_;                 // with its final dot, or empty
  std::vector<std::string> package_folders_;  // where the prefix leads to
  std::vector<std::string> functions_;
  std::map<std::string, std::string> modules_;  // by function
  std::shared_ptr<Found> found_;                // what find() found last
};

}  // namespace quire
