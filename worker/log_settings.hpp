// The settings of the log.
#pragma once

#include "worker/log.hpp"
#include "worker/settings.hpp"

namespace quire {

logs::Options log_options(const Settings& settings);

}  // namespace quire
