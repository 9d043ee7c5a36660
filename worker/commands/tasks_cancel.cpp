#include <algorithm>
#include <iostream>
#include <map>
#include <set>
#include <thread>

#include "worker/commands/command.hpp"
#include "worker/commands/command_options.hpp"
#include "worker/commands/interrupt.hpp"
#include "worker/commands/tasks.hpp"

namespace quire {
namespace {

using Kind = Cancellation::Kind;

// Longer than any grace period that somebody waits for at a terminal.
constexpr auto wait_limit = std::chrono::minutes(10);

// What the workers on this host make of it: an answer for each id, of the worker that has it.
std::map<std::string, Cancellation> ask_all(const WorkersStatus& workers, const std::vector<std::string>& ids,
                                            bool with_subset) {
  std::map<std::string, Cancellation> answers;
  for (const std::string& id : ids) answers[id].id = id;
  for (const std::string& socket : workers.sockets) {
    for (Cancellation& answer : ask_to_cancel(socket, ids, with_subset)) {
      if (answer.kind != Kind::unknown) answers[answer.id] = std::move(answer);
    }
  }
  return answers;
}

// Tasks that are in a process at this moment and are not only waiting behind others there.
std::set<std::string> in_processes(const std::string& state_directory) {
  std::set<std::string> ids;
  for (const WorkerStatus& worker : ask_workers(state_directory).workers) {
    for (const SubsetStatus& subset : worker.subsets) {
      ids.insert(subset.running.begin(), subset.running.end());
      ids.insert(subset.ended.begin(), subset.ended.end());
    }
  }
  return ids;
}

// Waits until the processes of these tasks have ended. False when that was given up.
bool wait_for_end(const std::string& state_directory, const std::vector<std::string>& ids) {
  const InterruptWatch watch;
  const auto until = std::chrono::steady_clock::now() + wait_limit;
  while (!InterruptWatch::came() && std::chrono::steady_clock::now() < until) {
    const std::set<std::string> running = in_processes(state_directory);
    if (std::ranges::none_of(ids, [&](const std::string& id) { return running.contains(id); })) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return false;
}

// Why no worker on this host has it: what the record knows.
std::string why_unknown(SiteView& view, const std::string& id, const CommandOptions& options) try {
  const std::optional<TaskDetails> found = view.record.find(id);
  if (!found) {
    return "no worker on this host has it, nor has the record: it may still wait at the job server (" +
           options.suggested("status") +
           " shows the queues; `gearadmin --cancel-job HANDLE` takes a whole batch out).";
  }
  const TaskSummary& task = found->task;
  if (has_ended(task.state)) {
    return std::string("it has ended already: ") + name_of(task.state) + " with exit code " +
           std::to_string(task.exit_code.value_or(0)) + " at " + short_time(task.ended) + " UTC.";
  }
  if (task.state == TaskState::lost) {
    return "it is lost: its worker " + task.client + " is gone. " + options.suggested("tasks retry", id) +
           " runs it anew.";
  }
  if (task.state == TaskState::queued) {
    return "its worker was stopped, and the job server has it again or is about to: cancel it when a worker "
           "has it.";
  }
  return "worker " + task.client +
         " has it and cannot be asked from here: run this on its host, with its "
         "state_directory.";
} catch (const RecordUnreadable& error) {
  return std::string("no worker on this host has it. ") + error.what();
}

void tell_shared(const std::string& id, const Cancellation& answer, const CommandOptions& options) {
  std::cout << id << ": not cancelled: its process has begun or finished " << answer.shares.size()
            << (answer.shares.size() == 1 ? " other task, which would fail with it:\n"
                                          : " other tasks, which would fail with it:\n");
  for (const std::string& other : answer.shares) std::cout << "  " << other << '\n';
  std::cout << "  Its script does not declare its jobs independent. "
            << options.suggested("tasks cancel", "--subset " + id)
            << " accepts that;\n  tasks of the process that have not begun run in a new one.\n";
}

}  // namespace

int run_tasks_cancel(const std::vector<std::string>& arguments) {
  namespace po = boost::program_options;
  CommandOptions options(
      {.usage = "quire tasks cancel [OPTIONS] ID…",
       .description =
           "Cancels tasks that workers on this host have in hand. One that has not begun never does; one "
           "that\n"
           "runs is ended, with TERM and after grace_period with KILL. Both are answered with their batch, "
           "with\n"
           "exit code 130 and a sentence on stderr, and the record has them as cancelled. Where the script's "
           "jobs\n"
           "are independent no other task is touched. Elsewhere a process counts as a whole: tasks that have "
           "begun\n"
           "in it are named first and fail only with --subset; those that have not run in a new process.\n"
           "Exits with 0 when all were cancelled, else with 1.",
       .example = "quire tasks cancel 7498461c-a2da-462c-ac81-a58f0f4f91b3\n"
                  "quire tasks cancel --subset $(quire tasks list --state running --format csv | tail -n +2 "
                  "| cut -d, -f1)"});
  options.own().add_options()("subset", po::bool_switch(),
                              "accept that tasks which share the process and have begun fail with it")(
      "no-wait", po::bool_switch(), "do not wait until processes have ended");
  if (!options.parse(arguments, CommandOptions::Words::among_options)) return exit_ok;
  if (options.words().empty())
    throw UsageError("Name a task: quire tasks cancel ID. " +
                     options.suggested("tasks list", "--state running,queued") + " has the ids.");

  const Settings settings = options.settings();
  const auto view = look_at_site(settings);
  for (const std::string& problem : view->workers.problems)
    std::cerr << "quire tasks cancel: " << problem << '\n';
  if (view->workers.workers.empty()) {
    std::cerr << "quire tasks cancel: No worker runs on this host with the state_directory "
              << settings.state_directory
              << ": `quire status` looks, and --state-directory names another one.\n";
  }
  const auto answers = ask_all(view->workers, options.words(), options.values()["subset"].as<bool>());

  std::vector<std::string> ending;
  bool all = true;
  for (const auto& [id, answer] : answers) {
    switch (answer.kind) {
      case Kind::kept:
        std::cout << id << ": cancelled; it had not begun.\n";
        break;
      case Kind::ending:
        ending.push_back(id);
        break;
      case Kind::shared:
        tell_shared(id, answer, options);
        all = false;
        break;
      case Kind::too_late:
        std::cout << id << ": not cancelled: it has ended already; the record has it when its batch has.\n";
        all = false;
        break;
      case Kind::unknown:
        std::cout << id << ": not cancelled: " << why_unknown(*view, id, options) << '\n';
        all = false;
        break;
    }
  }
  std::cout.flush();
  const bool ended = options.values()["no-wait"].as<bool>() || ending.empty() ||
                     wait_for_end(settings.state_directory, ending);
  for (const std::string& id : ending) {
    const std::size_t others = answers.at(id).shares.size();
    std::cout << id << (ended ? ": cancelled" : ": its process is being ended")
              << (others == 0 ? "" : ", and " + std::to_string(others) + " that shared its process with it")
              << ".\n";
  }
  return all ? exit_ok : exit_task_failed;
}

}  // namespace quire
