// The limits under which a subset runs, and how one that struck is told.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "worker/batch.hpp"
#include "worker/host/host_protocol.hpp"
#include "worker/settings.hpp"

namespace quire {

// 0: no limit.
struct Limits {
  std::chrono::seconds time{0};
  std::chrono::seconds grace{0};       // from TERM to KILL
  std::size_t processes = 0;           // of the subset at once
  host_protocol::SubsetLimits inside;  // those that its process imposes upon itself
};

// What section [function:NAME] says, and where it says nothing, section [quire].
Limits limits_of(const Settings& settings, const std::string& function);

// Sentences for the stderr of a task that failed: which limit has probably been its undoing. Nobody tells us
// that an allocation or an open() was refused because of a limit of ours, so this goes by what the system and
// the languages say where that happens. Empty when nothing points to one.
std::string limit_remark(const Limits& limits, const TaskResult& result);

}  // namespace quire
