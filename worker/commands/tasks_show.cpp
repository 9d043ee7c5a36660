#include <algorithm>
#include <iostream>

#include "common/plural.hpp"
#include "common/text.hpp"
#include "worker/commands/command.hpp"
#include "worker/commands/command_options.hpp"
#include "worker/commands/result_output.hpp"
#include "worker/commands/tasks.hpp"
#include "worker/suggestion.hpp"

namespace quire {
namespace {

void print(const char* name, const std::string& value) {
  if (value.empty()) return;
  std::cout << padded(name, 14) << one_line(to_utf8(value), 4096) << '\n';
}

std::string when(const std::optional<Timestamp>& time) { return time ? record_time(*time) + " UTC" : ""; }

// Which process runs it, as its worker on this host tells.
void print_process(const SiteView& view, const std::string& id) {
  const auto has = [&](const std::vector<std::string>& ids) {
    return std::ranges::find(ids, id) != ids.end();
  };
  for (const WorkerStatus& worker : view.workers.workers) {
    for (const SubsetStatus& subset : worker.subsets) {
      if (has(subset.running) || has(subset.ended) || has(subset.waiting)) {
        print("process",
              std::to_string(subset.pid) + ", for " + duration_text(subset.age) + ", with " +
                  counted(subset.running.size() + subset.ended.size() + subset.waiting.size(), "task") +
                  " of its batch");
      }
    }
  }
}

void print_details(const SiteView& view, const TaskDetails& details) {
  const TaskSummary& task = details.task;
  print("task", task.id);
  print("state", name_of(task.state));
  if (task.exit_code) print("exit code", std::to_string(*task.exit_code));
  print("ended by",
        task.ended_by.empty() || task.ended_by == "cancelled" ? task.ended_by : "the limit " + task.ended_by);
  print("function", task.function);
  print("created", when(task.created));
  print("begun", when(task.begun));
  print("ended", when(task.ended));
  if (task.reported) {
    print("has ended", when(task.reported->ended) + " with exit code " +
                           std::to_string(task.reported->exit_code) + ". " +
                           std::string(what_is_awaited(*task.reported)));
  } else if (task.state == TaskState::cancelled && !task.ended) {
    print("has ended", "It never begins. That is on record when its batch has ended.");
  }
  print("worker", task.client);
  print("batch", std::to_string(task.batch) + (details.handle.empty() ? "" : ", " + details.handle) +
                     (details.delivery.empty() ? "" : ", reply " + details.delivery));
  print("job", task.job);
  print("file", task.file);
  print("file name", task.file_name);
  print_process(view, task.id);
  for (std::size_t i = 0; i < details.attempts.size(); ++i) {
    const TaskAttempt& attempt = details.attempts[i];
    print(("attempt " + std::to_string(i + 1)).c_str(),
          when(attempt.begun) + ", " + attempt.client + ", " + attempt.handle + ": " + attempt.end);
  }
  const auto text = [](const char* name, const std::optional<std::string>& value) {
    if (!value || value->empty()) return;
    std::cout << name << '\n';
    write_block(std::cout, to_utf8(*value));
  };
  text("arguments", task.arguments);
  text("stdout", task.output);
  text("stderr", task.error);
  text("the process's own stdout", task.process_output);
  text("the process's own stderr", task.process_error);
  if (task.ended && !task.output) {
    std::cout << "Its output was not recorded (capture_client_script_output = no).\n";
  }
}

}  // namespace

int run_tasks_show(const std::vector<std::string>& arguments) {
  namespace po = boost::program_options;
  CommandOptions options(
      {.usage = "quire tasks show [OPTIONS] ID…",
       .description =
           "Tells everything that the record has of a task: its arguments, times, attempts with who\n"
           "made them, limits that struck, and what it wrote. Exits with 1 when one is unknown.",
       .example = "quire tasks show 7498461c-a2da-462c-ac81-a58f0f4f91b3"});
  options.own().add_options()("json", po::bool_switch(), "a line of JSON for each task");
  if (!options.parse(arguments, CommandOptions::Words::among_options)) return exit_ok;
  if (options.words().empty())
    throw UsageError("Name a task: quire tasks show ID. " + options.suggested("tasks list") +
                     " has the ids.");

  const auto view = look_at_site(options.settings());
  int code = exit_ok;
  bool first = true;
  for (const std::string& id : options.words()) {
    const std::optional<TaskDetails> details = view->record.find(id);
    if (!details) {
      std::cerr << "quire tasks show: The record " << view->record.path() << " has no task " << id << "; "
                << options.suggested("tasks list", "--text " + shell_word(id.substr(0, 8)))
                << " looks for a part of it.\n";
      code = exit_task_failed;
    } else if (options.values()["json"].as<bool>()) {
      write_json(std::cout, *details);
    } else {
      if (!std::exchange(first, false)) std::cout << '\n';
      print_details(*view, *details);
    }
  }
  return code;
}

}  // namespace quire
