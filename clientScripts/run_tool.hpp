// What Archivematica's file commands have in common: a job is one run of a program.
#pragma once

#include <string>
#include <vector>

#include <quire/client_script.hpp>

namespace quire {

// Runs the program, found along PATH, with the job's arguments as they are: no shell in between. Its output,
// errors and exit status become the job's; status -N after signal N, and U+FFFD for what is not UTF-8.
//
// Its environment is this process's, with PYTHONIOENCODING=utf-8 and, where they are unset or empty,
// LANG=en_US.UTF-8 and LANGUAGE as LANG. For stdin, descriptors and processes left behind see run_program().
//
// A program that cannot be started gives status -1, output "Config Error!" and the system's reason on stderr
// ("[Errno 2] No such file or directory: 'tree'"); an argument with a zero byte gives status -1, output
// "Execution failed:" and the words of the command on stderr. Controllers know these texts.
//
// Throws std::system_error when this process has no pipes or descriptors left.
void run_tool(const std::string& program, Job& job);

// The same with another command than the job's arguments: the program and what it is given.
void run_tool(const std::vector<std::string>& command, Job& job);

}  // namespace quire
