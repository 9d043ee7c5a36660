#include "worker/site.hpp"

namespace quire {

ArgumentSettings argument_settings(const Settings& settings) {
  std::string folder = list_items(settings.client_scripts, ':').front();
  if (!folder.ends_with('/')) folder += '/';
  return {settings.shared_directory, folder, settings.client_assets_directory};
}

}  // namespace quire
