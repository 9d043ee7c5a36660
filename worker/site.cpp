#include "worker/site.hpp"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "worker/log.hpp"

namespace quire {
namespace {

// Tells at the start which functions cannot run, rather than when their first task fails.
void report_missing(const Site& site) {
  for (const std::string& function : site.modules.functions()) {
    try {
      site.modules.find(function);
    } catch (const NoSuchModule& error) {
      logs::worker()->warn("{}: {} Its tasks will fail with this sentence.", function, error.what());
    }
  }
  for (const auto& [function, ignored] : site.settings.functions) {
    if (std::ranges::find(site.modules.functions(), function) != site.modules.functions().end()) continue;
    logs::worker()->warn(
        "[function:{}]: the module table {} has no such function, so this section changes nothing.", function,
        site.settings.client_modules);
  }
}

}  // namespace

ArgumentSettings argument_settings(const Settings& settings) {
  std::string folder = list_items(settings.client_scripts, ':').front();
  if (!folder.ends_with('/')) folder += '/';
  return {settings.shared_directory, folder, settings.client_assets_directory};
}

std::shared_ptr<const Site> load_site(const Settings& settings) {
  auto site = std::make_shared<const Site>(settings);
  if (site->modules.functions().empty()) {
    throw ConfigurationError("The module table " + settings.client_modules +
                             " has no function: add a line FUNCTION = MODULE.");
  }
  for (const std::string& remark : settings.remarks) spdlog::warn("{}", remark);
  report_missing(*site);
  return site;
}

}  // namespace quire
