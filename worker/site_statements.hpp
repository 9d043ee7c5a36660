// What the files of a site say, in our words, with the place of each word.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "worker/settings.hpp"

namespace quire {

struct SiteStatement {
  std::string value;
  std::string where;  // "FILE:LINE: KEY"
};

struct SiteStatements {
  std::vector<std::string> sources;                  // the files that were read, in order
  std::vector<std::string> variable_files;           // those of them that are files of variables
  std::map<std::string, SiteStatement> settings;     // by the name of our setting
  std::map<std::string, SiteStatement> environment;  // section [environment], by the name of the variable
  SiteStatement search_path;                         // PYTHONPATH
  SiteStatement working_folder;                      // WorkingDirectory= of the unit
  // A sentence each, or the place of a key:
  std::vector<std::string> scripts;    // what client scripts read themselves, where it stands
  std::vector<std::string> elsewhere;  // what client scripts would read in another place
  std::vector<std::string> others;     // what has no counterpart
  std::vector<std::string> warnings;   // what is missing, so that the configuration may not be right

  std::string archivematica;  // what tells that the site is one of Archivematica, or CCP; empty: nothing does
  std::string ccp;
  std::vector<std::string> database_files;  // with a section [client] or [db], in places of their own
  std::string database;                     // what tells where the database is; empty: nothing does

  // Throws ConfigurationError: the value cannot be.
  void set(const std::string& setting, SiteStatement statement);
};

// Reads what the paths name (site_import.hpp tells what they may be). Throws ConfigurationError.
SiteStatements read_site(const std::vector<std::string>& paths);

// The variables that client scripts of such a site get from the worker's environment: pass_environment.
const std::string& site_environment();

}  // namespace quire
