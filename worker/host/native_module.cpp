#include <dlfcn.h>

#include <quire/client_script.hpp>

#include "worker/host/hosted_module.hpp"

namespace quire {

namespace {

template <typename Symbol>
Symbol* find_symbol(void* library, const char* name) {
  return reinterpret_cast<Symbol*>(::dlsym(library, name));
}

}  // namespace

HostedModule load_native_module(const std::string& path) {
  // RTLD_NOW: a missing library or symbol is told here, not in the middle of a batch.
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw ModuleError(std::string("The module cannot be loaded: ") + ::dlerror());

  const auto* version = find_symbol<const int>(library, "quire_interface_version");
  if (version == nullptr) {
    throw ModuleError(path + " is not a client script: it does not include <quire/client_script.hpp>.");
  }
  if (*version != interface_version) {
    throw ModuleError(path + " was built for version " + std::to_string(*version) +
                      " of the client script interface, and this worker has version " +
                      std::to_string(interface_version) + ": build it again with this worker's headers.");
  }
  auto* call = find_symbol<void(std::span<Job>)>(library, "call");
  if (call == nullptr) throw ModuleError(path + " has no function call(quire::Jobs).");

  HostedModule module;
  module.call = [call](std::span<Job> jobs, const host_protocol::SubsetLimits&) { call(jobs); };
  module.description.interface = interface_version;
  if (auto* instances = find_symbol<int()>(library, "concurrent_instances")) {
    const int count = instances();
    if (count < 1) {
      throw ModuleError(path + ": concurrent_instances() gave " + std::to_string(count) +
                        ", and must give at least 1.");
    }
    module.description.concurrent_instances = static_cast<std::size_t>(count);
  }
  if (auto* independent = find_symbol<bool()>(library, "independent_jobs")) {
    module.description.independent = independent();
  }
  if (auto* fresh = find_symbol<bool()>(library, "fresh_process")) module.description.fresh = fresh();
  return module;
}

}  // namespace quire
