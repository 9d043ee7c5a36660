#include "worker/commands/progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <iostream>

namespace quire {
namespace {

using namespace std::chrono_literals;

// 1234567 → "1,234,567"
std::string grouped(std::size_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, 1, ',');
  return digits;
}

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::size_t>(std::ceil(seconds));
  if (whole < 120) return std::to_string(whole) + " s";
  if (whole < 2 * 3600) return std::to_string(whole / 60) + " min";
  return std::to_string(whole / 3600) + " h " + std::to_string(whole % 3600 / 60) + " min";
}

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

std::string rate_text(double rate) {
  if (rate >= 10) return grouped(static_cast<std::size_t>(rate));
  const auto tenths = static_cast<std::size_t>(rate * 10);
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
}

std::string progress_text(const ProgressFigures& figures) {
  std::string text = grouped(figures.done);
  if (figures.total) text += " of " + grouped(*figures.total);
  text += figures.total.value_or(figures.done) == 1 ? " task" : " tasks";
  const double rate =
      figures.elapsed.count() > 0 ? static_cast<double>(figures.done) / figures.elapsed.count() : 0;
  if (rate > 0) {
    text += ", " + rate_text(rate) + "/s";
    if (figures.total && *figures.total > figures.done) {
      text += ", " + duration_text(static_cast<double>(*figures.total - figures.done) / rate) + " left";
    }
  }
  if (figures.failed > 0) text += ", " + grouped(figures.failed) + " failed";
  return text;
}

std::string progress_bar(const ProgressFigures& figures, std::size_t width) {
  const std::string text = progress_text(figures);
  constexpr std::size_t frame = 11;  // "[] 100 %  " and a free column
  if (!figures.total || *figures.total == 0 || width < text.size() + frame + 10) return text.substr(0, width);
  const std::size_t cells = std::min<std::size_t>(width - text.size() - frame, 40);
  const std::size_t done = std::min(figures.done, *figures.total);
  const std::string percent = std::to_string(100 * done / *figures.total);
  std::string bar = "[";
  bar.append(cells * done / *figures.total, '#').append(cells + 1 - bar.size(), '.');
  return bar + "] " + std::string(3 - percent.size(), ' ') + percent + " %  " + text;
}

Progress::Progress(Mode mode, Clock::duration between_lines) : mode_(mode), between_lines_(between_lines) {}
Progress::~Progress() { clear(); }

Progress::Mode Progress::mode_for(bool quiet) {
  if (quiet) return Mode::quiet;
  return ::isatty(STDERR_FILENO) == 1 ? Mode::bar : Mode::lines;
}

void Progress::update(ProgressFigures figures) {
  const auto now = Clock::now();
  const auto pause = mode_ == Mode::bar ? Clock::duration(100ms) : between_lines_;
  if (mode_ == Mode::quiet || now - shown_at_ < pause) return;
  if (mode_ == Mode::lines && figures.done == told_) return;
  told_ = figures.done;
  shown_at_ = now;
  figures.elapsed = now - begin_;
  if (mode_ == Mode::lines) {
    std::cerr << progress_text(figures) << std::endl;
    return;
  }
  std::cerr << "\r\033[K" << progress_bar(figures, terminal_width()) << std::flush;
  bar_is_shown_ = true;
}

void Progress::clear() {
  if (!bar_is_shown_) return;
  std::cerr << "\r\033[K" << std::flush;
  bar_is_shown_ = false;
}

void Progress::make_room() {
  if (::isatty(STDOUT_FILENO) == 1) clear();
}

void Progress::say(const std::string& sentence) {
  clear();
  std::cerr << sentence << std::endl;
}

std::chrono::duration<double> Progress::elapsed() const { return Clock::now() - begin_; }

}  // namespace quire
