// Where the parts of this installation are. The build folder is laid out in the same way, so a quire that was
// just built finds the hosts and scripts that were built with it.
#pragma once

#include <string>

namespace quire {

struct Installation {
  std::string prefix;          // what `cmake --install --prefix` was given, or the build folder
  std::string program;         // the command quire itself
  std::string native_host;     // loads modules NAME.so
  std::string python_host;     // loads modules NAME.py: a script for the interpreter of the settings
  std::string client_scripts;  // the folder of the scripts that ship
  std::string client_modules;  // their module table
  std::string gearmand_file;   // the shipped configuration of gearmand
};

// The installation to which the program with this path belongs: PREFIX/bin/quire.
Installation installation_of(const std::string& program);

// The installation of the running program. Found out once, at the first call, so that an upgrade which
// replaces the program's file meanwhile changes nothing.
const Installation& installation();

}  // namespace quire
