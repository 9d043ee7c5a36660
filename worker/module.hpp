// A client script as the worker knows it: where it is and how it is run.
#pragma once

#include <optional>
#include <string>

namespace quire {

enum class ModuleKind {
  native,   // NAME.so, loaded by quire-host
  python,   // NAME.py, or an import name, loaded by quire_host.py
  program,  // any executable, run once per job
};

struct Module {
  std::string name;  // as the module table has it
  ModuleKind kind = ModuleKind::native;
  std::string path;         // the file; empty for a Python module that is known by its import name alone
  std::string import_name;  // Python only: prefix and name

  // What tells two modules apart: the same script under two functions is one module.
  const std::string& key() const { return path.empty() ? import_name : path; }
};

}  // namespace quire
