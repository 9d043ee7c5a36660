#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <quire/client_script.hpp>

#include "common/bounded_text.hpp"
#include "common/program.hpp"
#include "worker/host/hosted_module.hpp"

namespace quire {

namespace {

void run_job(const std::string& path, const std::vector<std::string>& environment, std::size_t output_limit,
             Job& job) {
  std::vector<std::string> command = job.args();
  command[0] = path;
  for (const std::string& word : command) {
    if (word.find('\0') != std::string::npos) {
      job.print_error("The program " + path + " was not started: an argument holds a zero byte.");
      job.set_status(1);
      return;
    }
  }
  const ProgramRun run = run_program(command, environment, output_limit);
  if (run.start_error != 0) {
    job.print_error("The program " + path + " could not be started: " + std::strerror(run.start_error) + ".");
    job.set_status(1);
    return;
  }
  job.write_output(run.output);
  job.write_error(run.error);
  if (run.missing_output > 0)
    job.print_error(output_limit_remark("stdout", run.missing_output, output_limit));
  if (run.status.by_signal()) job.print_error("The program " + path + " " + run.status.describe() + ".");
  if (!run.status.success()) job.set_status(exit_code_of_unfinished(run.status));
}

}  // namespace

HostedModule load_program(const std::string& path) {
  if (::access(path.c_str(), X_OK) != 0) {
    throw ModuleError("The program " + path + " cannot be run: " + std::strerror(errno) + ".");
  }
  HostedModule module;
  module.description.interface = interface_version;
  // Each job is a process of its own: none depends on what another one of the batch did.
  module.description.independent = true;
  module.call = [path](Jobs jobs, const host_protocol::SubsetLimits& limits) {
    const std::vector<std::string> environment = current_environment();
    for_each_job(jobs, [&](Job& job) { run_job(path, environment, limits.output, job); });
  };
  return module;
}

}  // namespace quire
