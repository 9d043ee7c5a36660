// A module that this host has loaded: what it says of itself, and its call().
#pragma once

#include <functional>
#include <span>
#include <stdexcept>
#include <string>

#include <quire/job.hpp>

#include "worker/host/host_protocol.hpp"

namespace quire {

struct HostedModule {
  host_protocol::Ready description;
  std::function<void(std::span<Job>, const host_protocol::SubsetLimits&)> call;
};

// The module cannot be used; what() says why.
struct ModuleError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Loads a shared object built with the script API. Throws ModuleError.
HostedModule load_native_module(const std::string& path);

// A program that is run once per job: the job's arguments are its own, its output and status are the job's.
// Throws ModuleError.
HostedModule load_program(const std::string& path);

}  // namespace quire
