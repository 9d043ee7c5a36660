// copy_submission_docs — copies the submission documentation of a package into its SIP. The status is 0
// whatever the tools say on stderr.
//
//   arg 1   the SIP's folder
//   arg 2   the name of the package, a folder in it
//
// The shell splits and expands arg 1 where it stands for the target, as it does in Archivematica's script.
#include <algorithm>
#include <thread>

#include "run_tool.hpp"

namespace {

constexpr const char* script = R"(
target=$1/submissionDocumentation
mkdir -p $target
cp -R "$1/$2/data/objects/submissionDocumentation" $target
exit 0)";

void copy_submission_docs(quire::Job& job) {
  std::vector<std::string> command{"sh", "-c", script, job.name()};
  command.insert(command.end(), job.args().begin() + 1, job.args().end());
  quire::run_tool(command, job);
}

}  // namespace

void call(quire::Jobs jobs) { quire::for_each_job(jobs, copy_submission_docs); }

int concurrent_instances() { return static_cast<int>(std::max(1U, std::thread::hardware_concurrency())); }

bool independent_jobs() { return true; }
