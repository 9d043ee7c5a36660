#include "worker/service_manager.hpp"

#include <systemd/sd-daemon.h>

namespace quire::service_manager {
namespace {

void notify(const std::string& text) { ::sd_notify(0, text.c_str()); }

}  // namespace

void ready(const std::string& status) { notify("READY=1\nSTATUS=" + status); }
void status(const std::string& text) { notify("STATUS=" + text); }
void stopping() { notify("STOPPING=1"); }

std::optional<std::chrono::microseconds> watchdog_interval() {
  std::uint64_t interval = 0;
  if (::sd_watchdog_enabled(0, &interval) <= 0) return std::nullopt;
  return std::chrono::microseconds(interval);
}

void feed_watchdog() { notify("WATCHDOG=1"); }

}  // namespace quire::service_manager
