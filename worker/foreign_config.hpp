// What the configuration of Archivematica, CCP and AtoM says, in our words: a site can move over with the
// files that it has.
//
//   clientConfig.conf    MCPArchivematicaServer = localhost:4730    gearman_servers = localhost:4730
//   environment          ARCHIVEMATICA_MCPCLIENT_MCPCLIENT_WORKERS=4         max_processes = 4
//   config/gearman.yml   all: servers: default: 127.0.0.1:4730      gearman_servers = 127.0.0.1:4730
//
// foreign_tables.hpp has every key that is known.
#pragma once

#include <string>
#include <vector>

#include "worker/settings.hpp"

namespace quire {

// What a key of a foreign configuration is to us.
enum class ForeignUse {
  setting,      // it gives the value of one of our settings
  variable,     // it gives the value of a variable in the environment of the client scripts
  scripts,      // the client scripts read it themselves, as they always did
  superfluous,  // nothing here needs it
  unknown,
};

struct ForeignEntry {
  std::string where;  // the beginning of a sentence about it: file, line and key, or the variable
  ForeignUse use = ForeignUse::unknown;
  std::string target;  // setting or variable: its name
  std::string value;   // setting or variable: what it becomes
};

// Each gives what its sources say, those that count more after those that count less. The lists are those of
// the settings archivematica_config, ccp_config and atom_config. variables: "NAME=value" each. All throw
// ConfigurationError: a file cannot be read, or is not what it should be.
std::vector<ForeignEntry> archivematica_entries(const std::string& list,
                                                const std::vector<std::string>& variables);
std::vector<ForeignEntry> ccp_entries(const std::string& list, const std::vector<std::string>& variables);
std::vector<ForeignEntry> atom_entries(const std::string& list);

// The default settings with what the foreign configurations say that these settings name, and with remarks on
// what is unknown. Throws ConfigurationError.
Settings foreign_settings(const Settings& named, const std::vector<std::string>& variables);

}  // namespace quire
