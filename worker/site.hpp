// What a batch is run with: the settings and the module table of one moment. A reload makes a new one;
// batches in hand keep theirs.
#pragma once

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

}  // namespace quire
