#include "worker/limits.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <string_view>

#include "common/exit_status.hpp"

namespace quire {
namespace {

constexpr std::size_t kibibyte = 1024;

bool says_any(const TaskResult& result, std::initializer_list<std::string_view> phrases) {
  return std::ranges::any_of(phrases, [&](std::string_view phrase) {
    return result.error.find(phrase) != std::string::npos ||
           result.process_error.find(phrase) != std::string::npos;
  });
}

bool was_killed_by(const TaskResult& result, std::initializer_list<int> signals) {
  return std::ranges::any_of(signals, [&](int signal) {
    return result.exit_code == exit_code_of_unfinished(ExitStatus::signalled(signal));
  });
}

}  // namespace

Limits limits_of(const Settings& settings, const std::string& function) {
  static const FunctionSettings nothing;
  const auto found = settings.functions.find(function);
  const FunctionSettings& own = found == settings.functions.end() ? nothing : found->second;
  Limits limits;
  limits.time = std::chrono::seconds(own.time_limit.value_or(settings.time_limit));
  limits.grace = std::chrono::seconds(own.grace_period.value_or(settings.grace_period));
  limits.processes = own.process_limit.value_or(settings.process_limit);
  limits.inside.memory = own.memory_limit.value_or(settings.memory_limit) * kibibyte * kibibyte;
  limits.inside.open_files =
      static_cast<std::uint32_t>(own.open_files_limit.value_or(settings.open_files_limit));
  limits.inside.output = own.output_limit.value_or(settings.output_limit) * kibibyte;
  return limits;
}

std::string limit_remark(const Limits& limits, const TaskResult& result) {
  std::string remark;
  if (limits.inside.memory > 0 &&
      (says_any(result, {"MemoryError", "bad_alloc", "annot allocate memory", "ut of memory"}) ||
       was_killed_by(result, {SIGKILL, SIGSEGV, SIGABRT, SIGBUS}))) {
    remark = "It ran with memory_limit = " + std::to_string(limits.inside.memory / kibibyte / kibibyte) +
             " (MiB), which may be why it failed.";
  }
  if (limits.inside.open_files > 0 && says_any(result, {"oo many open files"})) {
    if (!remark.empty()) remark += '\n';
    remark += "It ran with open_files_limit = " + std::to_string(limits.inside.open_files) +
              ", which may be why it failed.";
  }
  return remark;
}

}  // namespace quire
