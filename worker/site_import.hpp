// A configuration for a site that moves over, made of the files that it has.
//
//   # /etc/archivematica/MCPClient/clientConfig.conf:2: MCPArchivematicaServer
//   gearman_servers = localhost:4730
#pragma once

#include <string>
#include <vector>

#include "worker/settings.hpp"

namespace quire {

// How a program lays its Python client scripts out.
enum class SiteLayout {
  unknown,
  folders,  // Archivematica up to 1.17: folders of their own, clientScripts.NAME
  package,  // Archivematica from 1.18 on: archivematica.MCPClient.clientScripts.NAME
  ccp,      // CCP: worker.clientScripts.NAME
};

// The text of a configuration file that says what the paths say, each value under a comment with its place,
// and at the end a line for everything that has no counterpart. Passwords are never in it. A path is
//   - an INI file of Archivematica (clientConfig.conf, dbsettings, a module table) or CCP (worker.conf)
//   - a file of variables (/etc/default/archivematica-mcp-client)
//   - the unit of a worker (archivematica-mcp-client.service), with the files of variables that it names
//   - config/gearman.yml or config/app.yml of AtoM
//   - a folder: /etc/archivematica, or the root folder of an AtoM site
// layout: where it is unknown, what is read tells it. Throws ConfigurationError: a path cannot be read, is
// none of these, or says what cannot be.
std::string imported_configuration(const std::vector<std::string>& paths, SiteLayout layout);

}  // namespace quire
