// Which settings hold until the worker is started anew, whatever HUP brings.
#pragma once

#include "worker/settings.hpp"

namespace quire {

// The fresh settings, but those that cannot change while the worker runs keep their old value; the log says
// so of each that differs.
Settings with_what_stays(Settings fresh, const Settings& old);

}  // namespace quire
