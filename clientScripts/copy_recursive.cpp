// copy_recursive — cp -R, unless there is nothing to copy.
//
//   arg 1   what to copy; when it does not exist, nothing is done
//   arg 2   the folder to copy into, or the new path
#include "file_system.hpp"
#include "run_tool.hpp"

namespace {

void copy_recursive(quire::Job& job) {
  const auto argument = [&job](std::size_t index) {
    return index < job.args().size() ? job.arg(index) : std::string();
  };
  const std::string source = argument(1);
  const bool has_zero_byte = source.find('\0') != source.npos;  // run_tool has the answer to that
  if (quire::exists(source) || has_zero_byte) quire::run_tool({"cp", "-R", source, argument(2)}, job);
}

}  // namespace

void call(quire::Jobs jobs) { quire::for_each_job(jobs, copy_recursive); }

bool independent_jobs() { return true; }
