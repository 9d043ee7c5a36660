// quire tasks list and quire tasks watch.
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <thread>

#include "worker/commands/command.hpp"
#include "worker/commands/command_options.hpp"
#include "worker/commands/interrupt.hpp"
#include "worker/commands/result_output.hpp"
#include "worker/commands/tasks.hpp"

namespace quire {
namespace {

namespace po = boost::program_options;

TaskFormat format_of(const std::string& name) {
  if (name == "table") return TaskFormat::table;
  if (name == "json") return TaskFormat::json;
  if (name == "csv") return TaskFormat::csv;
  throw UsageError("--format " + name + " is not known; choose table, json or csv.");
}

std::size_t count_of(const po::variables_map& values, const char* name) {
  const auto number = values[name].as<long>();
  if (number < 0) throw UsageError(std::string("--") + name + " must be 0 or more.");
  return static_cast<std::size_t>(number);
}

void tell_problems(const WorkersStatus& workers) {
  for (const std::string& problem : workers.problems) std::cerr << "quire tasks: " << problem << '\n';
}

// ---- watch ----

std::string counts_line(const std::map<TaskState, std::int64_t>& counts) {
  std::string line;
  for (const auto& [state, count] : counts) {
    if (!line.empty()) line += ", ";
    line += std::to_string(count) + " " + name_of(state);
  }
  return line;
}

std::string bar(std::size_t done, std::size_t all) {
  constexpr std::size_t width = 20;
  const std::size_t full = all == 0 ? 0 : done * width / all;
  std::string text = "[";
  for (std::size_t i = 0; i < width; ++i) text += i < full ? '#' : '.';
  return text + "]";
}

void draw(SiteView& view, const TaskFilter& filter, std::size_t rows) {
  std::cout << "\x1b[H\x1b[2J" << short_time(now()) << " UTC: " << counts_line(view.record.counts())
            << "\n\n";
  for (const WorkerStatus& worker : view.workers.workers) {
    for (const BatchStatus& batch : worker.batches) {
      std::cout << bar(batch.ended, batch.tasks) << " " << batch.ended << "/" << batch.tasks << "  "
                << one_line(batch.function, 30) << "  " << batch.handle << "  " << duration_text(batch.age)
                << '\n';
    }
  }
  std::cout << '\n';
  const auto output = make_task_output(TaskFormat::table, std::cout, terminal_width());
  for_each_task(view.record, filter, rows, [&](const TaskSummary& task) {
    output->add(task);
    return true;
  });
  std::cout.flush();
}

// What has changed since the last look, the oldest first.
class Changes {
 public:
  void tell(SiteView& view, const TaskFilter& filter, std::size_t rows) {
    std::vector<TaskSummary> fresh;
    std::map<std::string, TaskState> seen;
    for_each_task(view.record, filter, rows, [&](const TaskSummary& task) {
      seen[task.id] = task.state;
      const auto before = seen_.find(task.id);
      if (before == seen_.end() || before->second != task.state) fresh.push_back(task);
      return true;
    });
    seen_ = std::move(seen);
    std::ranges::reverse(fresh);
    for (const TaskSummary& task : fresh) output_->add(task);
    std::cout.flush();
  }

 private:
  std::map<std::string, TaskState> seen_;
  std::unique_ptr<TaskOutput> output_ = make_task_output(TaskFormat::table, std::cout, terminal_width());
};

}  // namespace

int run_tasks_list(const std::vector<std::string>& arguments) {
  CommandOptions options(
      {.usage = "quire tasks list [OPTIONS]",
       .description = "Lists tasks of the record, the newest first: those that have not ended, then the "
                      "others. An exit\n"
                      "code in parentheses is that of a task that has ended while others of its process or "
                      "batch run: it\n"
                      "is on record when they have ended, too. An empty list exits with 0 and says on "
                      "standard error what\n"
                      "to do next; 69 tells that the record cannot be read, 64 that an option is wrong.",
       .example = "quire tasks list --state failed,cancelled,lost --since 2h\n"
                  "quire tasks list --function checksum_v0.0 --text 'sha256' --format json --limit 0"});
  add_filter_options(options.own());
  options.own().add_options()("limit,n", po::value<long>()->default_value(50)->value_name("N"),
                              "at most so many; 0: all of them")(
      "format", po::value<std::string>()->default_value("table")->value_name("FORMAT"),
      "table, json (lines) or csv");
  if (!options.parse(arguments, CommandOptions::Words::among_options)) return exit_ok;
  if (!options.words().empty()) {
    throw UsageError("`tasks list` takes options only; `quire tasks show " + options.words().front() +
                     "` tells about one task.");
  }
  const TaskFilter filter = filter_of(options.values());
  const TaskFormat format = format_of(options.values()["format"].as<std::string>());
  const std::size_t limit = count_of(options.values(), "limit");
  const auto view = look_at_site(options.settings());
  tell_problems(view->workers);
  const auto output = make_task_output(format, std::cout, terminal_width());
  std::size_t count = 0;
  bool more = false;
  for_each_task(view->record, filter, limit == 0 ? 0 : limit + 1, [&](const TaskSummary& task) {
    more = limit != 0 && count == limit;
    if (more) return false;
    output->add(task);
    ++count;
    return static_cast<bool>(std::cout);
  });
  if (count == 0) std::cerr << "quire tasks list: " << nothing_found(view->record, filter, options) << '\n';
  if (more && format == TaskFormat::table) {
    std::cerr << "… and more: --limit 0 lists all of them, --state and --since fewer.\n";
  }
  return exit_ok;
}

int run_tasks_watch(const std::vector<std::string>& arguments) {
  CommandOptions options(
      {.usage = "quire tasks watch [OPTIONS]",
       .description =
           "Shows how many tasks there are of each state, the batches in hand on this host, and the newest\n"
           "tasks, again and again until interrupted. Into a file or pipe it writes a line for each task\n"
           "that is new or whose state has changed.",
       .example =
           "quire tasks watch --state running,failed\nquire tasks watch --interval 10 | tee tasks.log"});
  add_filter_options(options.own());
  options.own().add_options()("limit,n", po::value<long>()->default_value(20)->value_name("N"),
                              "at most so many tasks")(
      "interval", po::value<double>()->default_value(2)->value_name("SECONDS"), "between two looks");
  if (!options.parse(arguments, CommandOptions::Words::among_options)) return exit_ok;
  if (!options.words().empty())
    throw UsageError("`tasks watch` takes options only: remove \"" + options.words()[0] + "\".");
  const TaskFilter filter = filter_of(options.values());
  const auto interval = Seconds(options.values()["interval"].as<double>());
  if (!(interval.count() >= 0.1 && interval.count() <= 86'400)) {
    throw UsageError("--interval must be between 0.1 and 86400 seconds.");
  }
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  const std::size_t rows = terminal ? std::max<std::size_t>(count_of(options.values(), "limit"), 1) : 1000;
  const Settings settings = options.settings();
  const InterruptWatch watch;
  Changes changes;
  while (!InterruptWatch::came() && std::cout) {
    const auto view = look_at_site(settings);
    terminal ? draw(*view, filter, rows) : changes.tell(*view, filter, rows);
    const auto until = std::chrono::steady_clock::now() + interval;
    while (!InterruptWatch::came() && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
  return exit_ok;
}

}  // namespace quire
