// Configuration files in the form that Archivematica's have: INI, one "key = value" a line.
//
//   ; a comment; so is a line that begins with #
//   [supportedBatchCommands]
//   checksum_v0.0 = checksum
//
// Python's configparser is the other reader of such files. What it would understand differently is refused,
// never misread: "key: value", a value that goes on in an indented line, the section [DEFAULT].
// Names are kept as they are written, dots and capitals included.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace quire {

struct IniSection {
  std::string name;
  std::size_t line = 0;
};

struct IniEntry {
  std::string section;
  std::string key;
  std::string value;  // without the white space around it; may be empty
  std::size_t line = 0;
};

struct IniFile {
  std::string path;
  std::vector<IniSection> sections;  // in the order of the file, empty ones too
  std::vector<IniEntry> entries;     // in the order of the file; no key stands twice in a section

  // "FILE:LINE", the beginning of a sentence about that line.
  std::string at(std::size_t line) const { return path + ":" + std::to_string(line); }
};

// Throws ConfigurationError: the file cannot be read, or a line of it is not what it should be.
IniFile read_ini_file(const std::string& path);

}  // namespace quire
