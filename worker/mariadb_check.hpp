// Whether a worker could keep the controller's table Tasks here, asked of the database itself.
#pragma once

#include <chrono>

#include "worker/finding.hpp"
#include "worker/settings.hpp"

namespace quire {

// Connects as a worker would, looks at the table's columns, and tries what a worker does to its rows, with no
// row and taken back: nothing is changed. No sentence has the password in it. patience: how long connecting,
// and how long each answer of the server, may take. Throws nothing that is the database's or the settings'.
Findings check_mariadb(const Settings& settings, std::chrono::seconds patience);

}  // namespace quire
