// What a batch is run with: the settings and the module table of one moment. A reload makes a new one;
// batches in hand keep theirs.
#pragma once

#include <memory>

#include "worker/batch.hpp"
#include "worker/module_registry.hpp"
#include "worker/settings.hpp"

namespace quire {

// What the placeholders stand for. %clientScriptsDirectory% is the first of the folders, with a slash at its
// end: controllers write "%clientScriptsDirectory%name".
ArgumentSettings argument_settings(const Settings& settings);

struct Site {
  // Throws ConfigurationError where the module table cannot be used.
  explicit Site(const Settings& given)
      : settings(given), modules(settings), arguments(argument_settings(settings)) {}

  const Settings settings;
  const ModuleRegistry modules;
  const ArgumentSettings arguments;
};

// The same, with a warning in the log for every remark on the settings, every function whose script is missing
// and every section that is about no function. Throws ConfigurationError, also where the table has no function.
std::shared_ptr<const Site> load_site(const Settings& settings);

}  // namespace quire
