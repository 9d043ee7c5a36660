// Points in time as the wire and the record write them: UTC, microseconds.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace quire {

using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

// From the real-time clock.
Timestamp now();

// "2024-08-04T21:44:55.661575+00:00": always six digits and +00:00, since nothing else parses everywhere.
std::string iso8601(Timestamp time);

// "2024-08-04 21:44:55.661575", as the columns of the task record hold it: UTC.
std::string record_time(Timestamp time);

// RFC 3339: date, "T" (or "t", or a space), time, an optional fraction of any length, "Z" or an offset.
// Nothing when the text is not that or no such day or time exists (leap second 60 counts as 59).
std::optional<Timestamp> parse_rfc3339(std::string_view text);

}  // namespace quire
