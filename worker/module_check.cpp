#include "worker/module_check.hpp"

#include <optional>
#include <system_error>

#include <boost/asio/io_context.hpp>

#include "worker/module_host.hpp"

namespace quire {

ModuleCheck check_module(const Module& module, const Settings& settings) {
  ModuleCheck check;
  boost::asio::io_context loop;
  std::optional<ModuleHost> host;
  const auto on_ready = [&](const host_protocol::Ready& ready) {
    check.loaded = true;
    check.concurrent_instances = ready.concurrent_instances;
    check.independent = ready.independent;
    check.fresh = ready.fresh;
    host->close();
  };
  const auto on_gone = [&](const ModuleHost::End& end) {
    if (!check.loaded) check.text = end.why;
    loop.stop();
  };
  try {
    host.emplace(loop, module, settings, ModuleHost::Options(),
                 ModuleHost::Events{.ready = on_ready, .subset = {}, .gone = on_gone});
    loop.run();
  } catch (const std::system_error& error) {
    check.text = std::string("Its host process could not be started: ") + error.what() + ".";
  }
  return check;
}

}  // namespace quire
