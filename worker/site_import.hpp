// A configuration for a site that moves over, made of the files that it has.
//
//   # /etc/archivematica/MCPClient/clientConfig.conf:2: MCPArchivematicaServer
//   gearman_servers = localhost:4730
#pragma once

#include <string>
#include <vector>

#include "worker/site_layout.hpp"

namespace quire {

struct ImportedConfiguration {
  std::string text;                         // of the file
  std::vector<std::string> variable_files;  // those that were read; commands need their variables, too
  std::vector<std::string> warnings;        // sentences about what is missing; the text has them, too
};

// A configuration file that says what the paths say, each value under a comment with its place,
// and at the end a line for everything that has no counterpart. Passwords are never in it. A path is
//   - an INI file of Archivematica (clientConfig.conf, dbsettings, a module table) or CCP (worker.conf)
//   - a file of variables (/etc/default/archivematica-mcp-client)
//   - the unit of a worker (archivematica-mcp-client.service), with the files of variables that it names
//   - config/gearman.yml or config/app.yml of AtoM
//   - a folder: /etc/archivematica, or the root folder of an AtoM site
// layout: where it is unknown, what is read tells it. Throws ConfigurationError: a path cannot be read, is
// none of these, or says what cannot be; or nothing that was read says anything about a worker.
ImportedConfiguration imported_configuration(const std::vector<std::string>& paths, SiteLayout layout);

}  // namespace quire
