#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>

#include "common/plural.hpp"
#include "worker/commands/command.hpp"
#include "worker/commands/command_options.hpp"
#include "worker/commands/tasks.hpp"
#include "worker/commands/tasks_export.hpp"

namespace quire {

std::size_t export_tasks(TaskQuery& record, TaskFilter filter, TaskFormat format, std::ostream& stream) {
  filter.with_texts = true;
  const auto output = make_task_output(format, stream, 0);
  std::size_t count = 0;
  for_each_task(record, filter, 0, [&](const TaskSummary& task) {
    output->add(task);
    ++count;
    return static_cast<bool>(stream);
  });
  stream.flush();
  return count;
}

std::size_t export_to_file(TaskQuery& record, const TaskFilter& filter, TaskFormat format,
                           const std::string& path) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  if (!file) throw UsageError(path + " cannot be written: " + std::strerror(errno) + ".");
  const std::size_t count = export_tasks(record, filter, format, file);
  if (!file)
    throw std::runtime_error(path + " could not be written to its end: " + std::strerror(errno) + ".");
  return count;
}

int run_tasks_export(const std::vector<std::string>& arguments) {
  namespace po = boost::program_options;
  CommandOptions options(
      {.usage = "quire tasks export [OPTIONS]",
       .description = "Writes tasks as CSV, the newest first, with AtoM's columns: startDate and endDate "
                      "(when it began and\n"
                      "ended, in UTC; one that is queued has neither), jobName (the function), jobStatus "
                      "(the state), jobInfo\n"
                      "(its arguments; of a task that did not end well the first line of its errors, or its "
                      "exit code and\n"
                      "what struck it) and jobUser (the worker). --all-columns has id, state, function, "
                      "arguments, created,\n"
                      "begun, ended, exit_code, ended_by, worker, batch, attempts, job, file, file_name, "
                      "stdout, stderr,\n"
                      "process_stdout and process_stderr. A cell that a spreadsheet would take for a formula "
                      "begins with an\n"
                      "apostrophe. Exits with 0, also when no task matches; 69: the record cannot be read.",
       .example = "quire tasks export --since 7d --output week.csv\nquire tasks export "
                  "--all-columns --state failed"});
  add_filter_options(options.own());
  options.own().add_options()("all-columns", po::bool_switch(),
                              "everything that the record has, what tasks wrote included")(
      "output,o", po::value<std::string>()->value_name("FILE"), "write there instead of to standard output");
  if (!options.parse(arguments, CommandOptions::Words::among_options)) return exit_ok;
  if (!options.words().empty())
    throw UsageError("`tasks export` takes options only: remove \"" + options.words()[0] + "\".");
  const TaskFilter filter = filter_of(options.values());
  const TaskFormat format = options.values()["all-columns"].as<bool>() ? TaskFormat::csv : TaskFormat::atom;
  const auto view = look_at_site(options.settings());
  const bool to_file = options.values().count("output") != 0;
  const std::size_t count =
      to_file ? export_to_file(view->record, filter, format, options.values()["output"].as<std::string>())
              : export_tasks(view->record, filter, format, std::cout);
  if (count == 0) std::cerr << "quire tasks export: " << nothing_found(view->record, filter, options) << '\n';
  if (to_file) std::cout << counted(count, "task") << " written.\n";
  return exit_ok;
}

}  // namespace quire
