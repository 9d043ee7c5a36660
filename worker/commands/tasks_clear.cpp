#include <filesystem>
#include <iostream>
#include <system_error>

#include "common/plural.hpp"
#include "worker/commands/command.hpp"
#include "worker/commands/command_options.hpp"
#include "worker/commands/interrupt.hpp"
#include "worker/commands/progress.hpp"
#include "worker/commands/tasks.hpp"
#include "worker/commands/tasks_export.hpp"
#include "worker/mariadb_address.hpp"
#include "worker/record_clearing.hpp"

namespace quire {
namespace {

namespace po = boost::program_options;

std::string text_of(const po::variables_map& values, const char* name) {
  return values.count(name) == 0 ? std::string() : values[name].as<std::string>();
}

// Chooses how the tasks that go have ended; an empty list: however that was.
void choose_states(EndedTasks& which, const std::string& list) {
  if (list.empty()) return;
  which.done = which.failed = which.cancelled = false;
  for (const std::string& name : list_items(list, ',')) {
    bool* const chosen = name == "done"        ? &which.done
                         : name == "failed"    ? &which.failed
                         : name == "cancelled" ? &which.cancelled
                                               : nullptr;
    if (chosen == nullptr) {
      throw UsageError(
          "--state " + name +
          " cannot be deleted: choose done, failed or cancelled, or several of them with commas.");
    }
    *chosen = true;
  }
}

// Deletes them with a bar on a terminal; an interruption leaves the rest. Gives the exit code.
int delete_tasks(const std::string& path, const EndedTasks& which) {
  const InterruptWatch watch;
  Progress shown(Progress::mode_for(false));
  const std::uint64_t deleted = clear_record(path, which, [&](const DeletionProgress& progress) {
    if (progress.total > 0) {
      shown.update({.done = static_cast<std::size_t>(progress.deleted),
                    .total = static_cast<std::size_t>(progress.total)});
    }
    return !InterruptWatch::came();
  });
  shown.clear();
  std::cout << counted(deleted, "task") << " deleted from " << path << ".\n";
  if (!InterruptWatch::came()) return exit_ok;
  std::cerr << "quire tasks clear: interrupted; what was not deleted is still there, and the same command "
               "goes on.\n";
  return exit_task_failed;
}

}  // namespace

int run_tasks_clear(const std::vector<std::string>& arguments) {
  CommandOptions options(
      {.usage = "quire tasks clear [OPTIONS]",
       .description =
           "Deletes tasks that have ended from the record, while workers go on: those to which "
           "all that is said\n"
           "applies. Tasks that run, wait or are lost stay, and those whose results the controller's "
           "database has not got\nyet. One that was deleted is a new one: it is run when the "
           "job server delivers it once more. The file keeps its size; its room is used again. "
           "Exits with 0;\n"
           "interrupted, it leaves the rest and exits with 1.",
       .example = "quire tasks clear --before 30d --export before.csv\n"
                  "quire tasks clear --function checksum_v0.0 --state done\nquire tasks clear --all"});
  const auto text = [](const char* name) { return po::value<std::string>()->value_name(name); };
  auto add = options.own().add_options();
  add("before", text("TIME"), "those that ended before then: an age (30s, 15m, 2h, 3d) or a time in UTC");
  add("function,f", text("NAME"), "those of this function");
  add("state,s", text("LIST"), "those that are done, failed or cancelled; several with commas");
  add("all", po::bool_switch(), "all that have ended");
  add("export", text("FILE"), "write them there first, as CSV with all columns; no file that exists");
  if (!options.parse(arguments, CommandOptions::Words::among_options)) return exit_ok;
  const po::variables_map& values = options.values();
  if (!options.words().empty())
    throw UsageError("`tasks clear` takes options only: remove \"" + options.words()[0] + "\".");

  EndedTasks which{.function = lower_case(text_of(values, "function"))};
  choose_states(which, text_of(values, "state"));
  const bool said =
      values.count("before") != 0 || !which.function.empty() || !text_of(values, "state").empty();
  const bool all = values["all"].as<bool>();
  if (!said && !all) {
    throw UsageError(
        "Say which: --before 30d, --function NAME, --state done, failed or cancelled; --all deletes "
        "everything that has "
        "ended.");
  }
  if (said && all) throw UsageError("--all and what says less exclude each other.");
  // What ends from now on stays, so that nothing goes that was not exported.
  which.before = values.count("before") != 0 ? moment_of(text_of(values, "before"), "--before") : now();

  const Settings settings = options.settings();
  which.owed = !names_database(settings);  // else they are still to be written there
  TaskQuery record(settings.record);
  const TaskFilter filter = filter_of(which);
  if (values.count("export") != 0) {
    const std::string file = text_of(values, "export");
    // It may hold what an earlier call has deleted, and nobody else has any more.
    if (std::error_code ignored; std::filesystem::is_regular_file(file, ignored)) {
      throw UsageError("--export " + file +
                       ": this file is there already, and is not overwritten: name another one, or "
                       "move it away. Nothing was deleted.");
    }
    const std::size_t exported = export_to_file(record, filter, TaskFormat::csv, file);
    std::cout << counted(exported, "task") << " written to " << file << "." << std::endl;
  }
  if (record.list(filter, 1).tasks.empty())
    std::cerr << "quire tasks clear: " << nothing_found(record, filter, options) << '\n';
  return delete_tasks(settings.record, which);
}

}  // namespace quire
