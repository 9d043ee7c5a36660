#include <iostream>

#include "worker/commands/command.hpp"
#include "worker/commands/command_options.hpp"
#include "worker/commands/tasks.hpp"
#include "worker/commands/tasks_export.hpp"
#include "worker/record_clearing.hpp"

namespace quire {
namespace {

namespace po = boost::program_options;

std::string text_of(const po::variables_map& values, const char* name) {
  return values.count(name) == 0 ? std::string() : values[name].as<std::string>();
}

std::optional<bool> failed_of(const std::string& state) {
  if (state.empty()) return std::nullopt;
  if (state == "done") return false;
  if (state == "failed") return true;
  throw UsageError("--state " + state +
                   " cannot be cleared by itself; choose done, or failed (cancelled ones included).");
}

// The tasks that go, for a reader: perhaps some more, which do not.
TaskFilter filter_of(const Clearing& which) {
  TaskFilter filter{.function = which.function, .until = which.before};
  if (which.failed.value_or(false) || !which.failed)
    filter.states = {TaskState::failed, TaskState::cancelled};
  if (!which.failed.value_or(false)) filter.states.insert(TaskState::done);
  return filter;
}

}  // namespace

int run_tasks_clear(const std::vector<std::string>& arguments) {
  CommandOptions options(
      {.usage = "quire tasks clear [OPTIONS]",
       .description = "Deletes tasks that have ended from the record, while workers go on: those to which "
                      "all that is said\n"
                      "applies. Tasks that run, wait or are lost stay. One that was deleted is a new one: it "
                      "is run when the\n"
                      "job server delivers it once more. The file keeps its size; its room is used again.",
       .example = "quire tasks clear --before 30d --export before.csv\n"
                  "quire tasks clear --function checksum_v0.0 --state done\nquire tasks clear --all"});
  const auto text = [](const char* name) { return po::value<std::string>()->value_name(name); };
  auto add = options.own().add_options();
  add("before", text("TIME"), "those that ended before then: an age (30s, 15m, 2h, 3d) or a time in UTC");
  add("function,f", text("NAME"), "those of this function");
  add("state,s", text("STATE"), "done, or failed (cancelled ones included)");
  add("all", po::bool_switch(), "all that have ended");
  add("export", text("FILE"), "write them there first, as CSV with all columns");
  if (!options.parse(arguments, CommandOptions::Words::among_options)) return exit_ok;
  const po::variables_map& values = options.values();
  if (!options.words().empty())
    throw UsageError("`tasks clear` takes options only: remove \"" + options.words()[0] + "\".");

  Clearing which{.function = lower_case(text_of(values, "function")),
                 .before = {},
                 .failed = failed_of(text_of(values, "state"))};
  const bool said = values.count("before") != 0 || !which.function.empty() || which.failed;
  const bool all = values["all"].as<bool>();
  if (!said && !all) {
    throw UsageError(
        "Say which: --before 30d, --function NAME, --state done or failed; --all deletes everything that has "
        "ended.");
  }
  if (said && all) throw UsageError("--all and what says less exclude each other.");
  // What ends from now on stays, so that nothing goes that was not exported.
  which.before = values.count("before") != 0 ? moment_of(text_of(values, "before"), "--before") : now();

  const Settings settings = options.settings();
  TaskQuery record(settings.record);
  const TaskFilter filter = filter_of(which);
  if (values.count("export") != 0) {
    const std::string file = text_of(values, "export");
    const std::size_t exported = export_to_file(record, filter, TaskFormat::csv, file);
    std::cout << exported << (exported == 1 ? " task" : " tasks") << " written to " << file << ".\n";
  }
  const std::string nothing = record.list(filter, 1).tasks.empty() ? nothing_found(record, filter) : "";
  const std::uint64_t deleted = nothing.empty() ? clear_record(settings.record, which) : 0;
  std::cout << deleted << (deleted == 1 ? " task" : " tasks") << " deleted from " << settings.record << ".\n";
  if (!nothing.empty()) std::cerr << "quire tasks clear: " << nothing << '\n';
  return exit_ok;
}

}  // namespace quire
