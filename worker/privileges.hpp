// Who the worker runs as: the user and group of the settings, for good.
#pragma once

#include <string>

#include "worker/settings.hpp"

namespace quire {

// Where user or group are set: changes to them, and makes sure that there is no way back. To be called before
// a file is opened, a thread started or a child. Throws ConfigurationError: no such user or group, or we are
// not root and other ones are named.
void drop_privileges(const Settings& settings);

// The limit of open files with which this process was started is raised as far as it may be: a worker with
// many batches in hand needs more than the usual 1,024. Children get the old one: see Subprocess.
void raise_open_files_limit();

// The soft limit of open files that children get; 0: the one of this process.
unsigned long open_files_limit_of_children();

// Why root should not run this file: it, or the folder it is in, may be written by everybody. Empty when
// there is nothing against it. Links are followed.
std::string reason_not_to_run_as_root(const std::string& path);

}  // namespace quire
