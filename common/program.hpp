// One run of a program, from its start to its end, with what it wrote.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "common/exit_status.hpp"

namespace quire {

struct ProgramRun {
  int start_error = 0;  // errno where the program could not be started; the rest says nothing then
  ExitStatus status = ExitStatus::exited(0);
  std::string output;
  std::string error;
  std::size_t missing_output = 0;  // bytes left out of each
  std::size_t missing_error = 0;
};

// Runs the program and waits for it. command: the program, found along PATH when it has no slash, and its
// arguments, which reach it as they are: no shell in between. environment: "NAME=value", all of it.
//
// Its stdin is empty; it has no descriptors but 0, 1 and 2. The run ends with the program: what a process
// that it left behind writes later is lost. output_limit: how many bytes of each text are kept
// (bounded_text.hpp); 0: all. Throws std::system_error when this process has no pipes or descriptors left;
// the program has ended then.
ProgramRun run_program(const std::vector<std::string>& command, const std::vector<std::string>& environment,
                       std::size_t output_limit = 0);

// The environment of this process, as run_program() takes it.
std::vector<std::string> current_environment();

}  // namespace quire
