// systemd's side of a service of Type=notify: what it is told, and its watchdog. Nothing happens where the
// worker was not started by it. Main loop only.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace quire::service_manager {

void ready(const std::string& status);
void status(const std::string& text);
void stopping();

// How often the watchdog wants to be fed at least; nothing where there is none.
std::optional<std::chrono::microseconds> watchdog_interval();
void feed_watchdog();

}  // namespace quire::service_manager
