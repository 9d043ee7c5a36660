// How far a submission is, on standard error: a bar on a terminal, a plain line now and then elsewhere.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

namespace quire {

struct ProgressFigures {
  std::size_t done = 0;
  std::size_t failed = 0;            // of those done
  std::optional<std::size_t> total;  // where it is known
  std::chrono::duration<double> elapsed{0};
};

// Tasks a second: "8,130", and one decimal below ten.
std::string rate_text(double rate);

// "12,345 of 100,000 tasks, 8,130/s, 11 s left, 2 failed"
std::string progress_text(const ProgressFigures& figures);

// "[########············]  40 %  12,345 of …" in `width` characters, or the text alone without a total.
std::string progress_bar(const ProgressFigures& figures, std::size_t width);

class Progress {
 public:
  enum class Mode { quiet, lines, bar };
  using Clock = std::chrono::steady_clock;

  // between_lines: the least time from one line to the next, without a terminal.
  explicit Progress(Mode mode, Clock::duration between_lines = std::chrono::seconds(5));
  ~Progress();  // clear()
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Quiet where asked for; a bar where standard error is a terminal.
  static Mode mode_for(bool quiet);

  // Shows the figures, if it is time to: ten times a second as a bar, every five seconds as a line, if more
  // is done than the last one told. `elapsed` is filled in here, counted from the construction.
  void update(ProgressFigures figures);

  // Takes the bar away; the next update brings it back.
  void clear();

  // Likewise, before something is written to standard output, where that is a terminal too.
  void make_room();

  // Says something to the user, in every mode.
  void say(const std::string& sentence);

  std::chrono::duration<double> elapsed() const;

 private:
  const Mode mode_;
  const Clock::duration between_lines_;
  const Clock::time_point begin_ = Clock::now();
  Clock::time_point shown_at_ = begin_;
  std::size_t told_ = 0;  // of `done`
  bool bar_is_shown_ = false;
};

}  // namespace quire
