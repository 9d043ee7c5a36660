#include "worker/page/plot.hpp"

#include <algorithm>

#include <spdlog/fmt/fmt.h>

#include "worker/page/layout.hpp"

namespace quire::page {
namespace {

constexpr double height = 96;  // of the bars, in the picture's own units; a minute is 10 wide

std::string number(double value) { return fmt::format("{:.2f}", value); }

void bar(Html& html, Markup kind, std::size_t minute, double bottom, double size) {
  if (size <= 0) return;
  html << "<rect class=\""_html << kind << "\" x=\""_html << std::to_string(minute * 10 + 1)
       << "\" width=\"8\" y=\""_html << number(height - bottom - size) << "\" height=\""_html << number(size)
       << "\"/>"_html;
}

// 1, 2 or 5 times a power of ten, and no less than the number.
std::int64_t round_up(std::int64_t number) {
  std::int64_t power = 1;
  while (power * 10 <= number) power *= 10;
  for (const std::int64_t times : {1, 2, 5}) {
    if (power * times >= number) return power * times;
  }
  return power * 10;
}

// Most hours have none of these, and say nothing of them.
Html also(std::int64_t cancelled) {
  Html html;
  if (cancelled > 0) html << ", "_html << grouped(cancelled) << " cancelled"_html;
  return html;
}

Html cancelled_figure(std::int64_t cancelled) {
  Html html;
  if (cancelled > 0) html << "<p><strong>"_html << grouped(cancelled) << "</strong> cancelled</p>"_html;
  return html;
}

}  // namespace

Html plot(const std::vector<MinuteFigures>& minutes) {
  std::int64_t total = 0;
  std::int64_t failed = 0;
  std::int64_t cancelled = 0;
  std::int64_t most = 1;
  for (const MinuteFigures& minute : minutes) {
    total += minute.tasks;
    failed += minute.failed;
    cancelled += minute.cancelled;
    most = std::max(most, minute.tasks);
  }
  const std::int64_t top = round_up(most);
  Html html;
  html
      << "<section class=\"hour\" aria-labelledby=\"hour\"><div class=\"figures\"><h2 id=\"hour\">Last hour</h2><p><strong>"_html
      << grouped(total) << "</strong> "_html << std::string_view(total == 1 ? "task" : "tasks")
      << "</p><p class=\""_html << std::string_view(failed > 0 ? "bad" : "fine") << "\"><strong>"_html
      << grouped(failed) << "</strong> failed</p>"_html << cancelled_figure(cancelled)
      << "</div><div class=\"plot\"><span class=\"top-label\">"_html << grouped(top)
      << " a minute</span><svg viewBox=\"0 0 600 96\" preserveAspectRatio=\"none\" role=\"img\" "
         "aria-label=\"Tasks by the minute: "_html
      << grouped(total) << " ended in the last hour, "_html << grouped(failed) << " of them failed"_html
      << also(cancelled) << ", at most "_html << grouped(most)
      << " within a minute.\">"
         "<path class=\"grid\" d=\"M0 .5H600M0 48H600M0 95.5H600\"/>"_html;
  for (std::size_t i = 0; i < minutes.size(); ++i) {
    const MinuteFigures& minute = minutes[i];
    const double scale = height / static_cast<double>(top);
    // What failed is seen, however little it is beside the others.
    const double bad = minute.failed == 0 ? 0 : std::max(2.0, static_cast<double>(minute.failed) * scale);
    const double left = static_cast<double>(minute.cancelled) * scale;
    const double good = static_cast<double>(minute.tasks - minute.failed - minute.cancelled) * scale;
    html << "<g><title>"_html << record_time(minute.minute).substr(11, 5) << " UTC: "_html
         << grouped(minute.tasks) << std::string_view(minute.tasks == 1 ? " task, " : " tasks, ")
         << grouped(minute.failed) << " failed"_html << also(minute.cancelled)
         << "</title><rect class=\"space\" x=\""_html << std::to_string(i * 10)
         << "\" width=\"10\" y=\"0\" height=\"96\"/>"_html;
    bar(html, "failed"_html, i, 0, bad);
    bar(html, "cancelled"_html, i, bad, std::min(left, height - bad));
    bar(html, "done"_html, i, bad + left, std::min(good, height - bad - left));
    html << "</g>"_html;
  }
  return html
         << "</svg><span class=\"axis\"><span>60 min ago</span><span>now</span></span></div></section>"_html;
}

}  // namespace quire::page
