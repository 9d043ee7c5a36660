// How the results of a submission are written: a table for people, JSON lines and CSV for programs.
//
//   {"id":"…","arguments":"…","exit_code":0,"finished":"2024-08-04T21:44:55.661575+00:00","stdout":"…","stderr":"…"}
//   {"id":"…","arguments":"…","exit_code":null,"finished":null,"stdout":"","stderr":"","problem":"…"}
#pragma once

#include <cstddef>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>

#include "worker/batch.hpp"

namespace quire {

// What came of a task that was submitted.
struct Outcome {
  Task task;            // with its result, if it has one
  std::string problem;  // why it has none, as a sentence

  bool succeeded() const { return task.result && task.result->exit_code == 0; }
};

class ResultOutput {
 public:
  virtual ~ResultOutput() = default;

  // Writes one result, at once: nothing is kept but the first few failures of a table.
  virtual void add(const Outcome& outcome) = 0;

  // After the last one. A table then tells its first failures in full.
  virtual void finish() = 0;
};

enum class ResultFormat { table, json, csv };

// width: of a table's lines, in characters. The stream must outlive the output.
std::unique_ptr<ResultOutput> make_result_output(ResultFormat format, std::ostream& stream,
                                                 std::size_t width);

// Several lines as they are, indented, without anything that a terminal would obey; of much, the beginning.
// REQUIRES: UTF-8
void write_block(std::ostream& stream, std::string_view text);

// Text on one line of at most `width` characters, without anything that a terminal would obey: "…" stands for
// what was cut off, a space for white space, "·" for other control characters. REQUIRES: UTF-8, width > 0
std::string one_line(std::string_view text, std::size_t width);

}  // namespace quire
