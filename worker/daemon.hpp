// The worker as a daemon: its parts, put together, and what signals do to them.
#pragma once

#include <functional>

#include "worker/settings.hpp"

namespace quire {

// Serves until a signal ends it. read_settings: reads the configuration once more, for HUP; throws
// ConfigurationError. Throws ConfigurationError where the worker cannot start with these settings.
//
//   TERM, INT   takes no more batches, finishes those in hand within shutdown_timeout, answers them, returns;
//               after that time, or at a second signal, ends the subsets that run and leaves their batches to
//               be delivered again (fail_interrupted: answers them as failed); at a third signal, at once
//   HUP         new settings and module table; where they cannot be used, the old ones stay
//   QUIT        tells in the log what every thread and child is doing
void serve(const Settings& settings, const std::function<Settings()>& read_settings);

}  // namespace quire
