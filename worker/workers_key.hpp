// Sites side by side: the prefix that the settings workers_key and workers_key_root ask for.
//
//   workers_key = site1                          site1-hello
//   workers_key_root = /usr/share/nginx/atom     424b6ef096d623432cfda8de25d8db88-hello
//
// The second form is AtoM's own: the MD5 of the site's root folder and its workers_key (which may be empty),
// one after the other, in hexadecimal digits.
#pragma once

#include "worker/function_prefix.hpp"
#include "worker/settings.hpp"

namespace quire {

// Whoever offers functions at a job server, submits to them or asks about them uses this prefix. Throws
// ConfigurationError where the key cannot stand before a function's name.
FunctionPrefix function_prefix(const Settings& settings);

}  // namespace quire
