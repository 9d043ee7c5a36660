#include "worker/commands/tasks.hpp"

#include <algorithm>
#include <array>
#include <iostream>

#include "worker/commands/command.hpp"
#include "worker/commands/help.hpp"
#include "worker/nearest.hpp"

namespace quire {
namespace {

constexpr std::array parts = {
    Command{"list", "tasks of the record, the newest first, by state, function, time, host, batch, text",
            run_tasks_list},
    Command{"show", "everything about one task: arguments, times, attempts, limits, output", run_tasks_show},
    Command{"watch", "what is going on, until interrupted", run_tasks_watch},
    Command{"export", "CSV for a spreadsheet, with AtoM's columns or all of them", run_tasks_export},
    Command{"cancel", "keep tasks from beginning, or end them, without harm to others", run_tasks_cancel},
    Command{"retry", "submit tasks that have ended once more, under new ids", run_tasks_retry},
    Command{"clear", "delete tasks that have ended from the record", run_tasks_clear},
};

Help help() {
  Help help{.usage = "quire tasks COMMAND [OPTIONS]",
            .description =
                "What happened to every task, and what happens: the record of this host's workers. States: queued "
                "(a\nworker has it and has not begun it), running, done, failed, cancelled, lost (its worker is "
                "gone).",
            .example = "quire tasks list --state failed,lost --since 1d"};
  for (const Command& part : parts) help.parts.push_back({part.name, part.summary});
  return help;
}

}  // namespace

int run_tasks(const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    throw UsageError(
        "Say what to do: list, show, watch, export, cancel, retry or clear. `quire tasks --help` explains.");
  }
  const std::string& word = arguments[0];
  if (const auto form = help_form_of_word(word)) {
    std::cout << help_of_parts(help(), *form);
    return exit_ok;
  }
  const auto part = std::ranges::find_if(parts, [&](const Command& each) { return word == each.name; });
  if (part != parts.end()) {
    try {
      return part->run({arguments.begin() + 1, arguments.end()});
    } catch (const RecordUnreadable& error) {
      std::cout.flush();
      std::cerr << "quire tasks " << word << ": " << error.what() << '\n';
      return exit_unavailable;
    }
  }
  std::vector<std::string> names;
  for (const Command& each : parts) names.emplace_back(each.name);
  throw UsageError("\"" + word + "\" is not list, show, watch, export, cancel, retry or clear." +
                   did_you_mean(word, names));
}

}  // namespace quire
