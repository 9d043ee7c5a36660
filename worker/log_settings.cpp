#include "worker/log_settings.hpp"

#include "worker/setting_values.hpp"

namespace quire {

logs::Options log_options(const Settings& settings) {
  return {.level = settings.log_level,
          .levels = log_levels_value(settings.log_levels),
          .form = settings.log_format == "json" ? logs::Form::json : logs::Form::text,
          .file = settings.log_file};
}

}  // namespace quire
