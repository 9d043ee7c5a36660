#include "run_tool.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <vector>

#include "common/program.hpp"
#include "common/text.hpp"

namespace quire {
namespace {

std::vector<std::string> tool_environment() {
  std::map<std::string, std::string> variables;
  for (const std::string& variable : current_environment()) {
    const std::size_t equals = variable.find('=');
    if (equals != variable.npos) variables.emplace(variable.substr(0, equals), variable.substr(equals + 1));
  }
  variables["PYTHONIOENCODING"] = "utf-8";
  std::string& lang = variables["LANG"];
  if (lang.empty()) lang = "en_US.UTF-8";
  std::string& language = variables["LANGUAGE"];
  if (language.empty()) language = lang;

  std::vector<std::string> environment;
  for (const auto& [name, value] : variables) environment.push_back(name + "=" + value);
  return environment;
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

void answer(Job& job, std::string_view output, std::string_view error, int status) {
  job.write_output(output);
  job.write_error(error);
  job.set_status(status);
}

}  // namespace

void run_tool(const std::string& program, Job& job) {
  std::vector<std::string> command = job.args();
  command[0] = program;
  run_tool(command, job);
}

void run_tool(const std::vector<std::string>& command, Job& job) {
  const auto has_zero_byte = [](const std::string& word) { return word.find('\0') != word.npos; };
  if (std::ranges::any_of(command, has_zero_byte)) return answer(job, "Execution failed:", join(command), -1);

  const ProgramRun run = run_program(command, tool_environment());
  if (run.start_error != 0) {
    const std::string reason = "[Errno " + std::to_string(run.start_error) + "] " +
                               std::strerror(run.start_error) + ": '" + command.front() + "'";
    return answer(job, "Config Error!", reason, -1);
  }
  answer(job, to_utf8(run.output), to_utf8(run.error),
         run.status.by_signal() ? -run.status.signal() : run.status.code());
}

}  // namespace quire
