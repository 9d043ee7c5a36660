// What a site leaves out of its files, since its program's start sets it.
#pragma once

#include "worker/site_statements.hpp"

namespace quire {

// How a program lays its Python client scripts out.
enum class SiteLayout {
  unknown,
  folders,  // Archivematica up to 1.17: folders of their own, clientScripts.NAME
  package,  // Archivematica from 1.18 on: archivematica.MCPClient.clientScripts.NAME
  ccp,      // CCP: worker.clientScripts.NAME
};

// Adds to the statements what the layout tells, where nothing else is said. layout: where it is unknown, the
// statements tell it; nothing is added where they do not.
void add_layout(SiteStatements& site, SiteLayout layout);

}  // namespace quire
