// What a process does that runs a subset: it takes its descriptors, runs call(), and reports.
#pragma once

#include "worker/host/descriptor.hpp"
#include "worker/host/hosted_module.hpp"

namespace quire {

struct SubsetDescriptors {
  Descriptor ledger;
  Descriptor output;
  Descriptor error;
};

// Makes this process the one of a subset: a group of its own that ends with its parent, stdin empty, stdout
// and stderr captured, no signal blocked. Then runs the subset and exits. parent: the process it must not
// outlive.
[[noreturn]] void become_subset(const HostedModule& module, SubsetDescriptors descriptors, int parent);

}  // namespace quire
