#include <algorithm>
#include <charconv>
#include <sstream>

#include "worker/commands/command.hpp"
#include "worker/commands/command_options.hpp"
#include "worker/commands/tasks.hpp"
#include "worker/nearest.hpp"

namespace quire {
namespace {

namespace po = boost::program_options;

constexpr std::size_t page_size = 500;

std::string text_of(const po::variables_map& values, const char* name) {
  return values.count(name) == 0 ? std::string() : values[name].as<std::string>();
}

std::set<TaskState> states_of(const std::string& list) {
  std::set<TaskState> states;
  std::vector<std::string> names;
  for (const TaskState state : all_task_states) names.emplace_back(name_of(state));
  for (const std::string& name : list_items(list, ',')) {
    const std::optional<TaskState> state = task_state(name);
    if (!state) {
      throw UsageError("There is no state \"" + name + "\"." + did_you_mean(name, names) +
                       " The states are queued, running, done, failed, cancelled and lost.");
    }
    states.insert(*state);
  }
  return states;
}

// "30s", "15m", "2h", "3d".
std::optional<std::chrono::seconds> age_of(const std::string& text) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || rest + 1 != end || number < 0 || number > 1'000'000'000) return std::nullopt;
  switch (*rest) {
    case 's':
      return std::chrono::seconds(number);
    case 'm':
      return std::chrono::minutes(number);
    case 'h':
      return std::chrono::hours(number);
    case 'd':
      return std::chrono::hours(24 * number);
    default:
      return std::nullopt;
  }
}

}  // namespace

Timestamp moment_of(const std::string& text, const std::string& option) {
  if (const auto age = age_of(text)) return now() - *age;
  // What is left out is the beginning of the day, hour or minute, in UTC.
  static const std::string whole = "2000-01-01T00:00:00Z";
  std::string time = text;
  if (time.size() < 19 && (time.size() == 10 || time.size() == 16)) time += whole.substr(time.size());
  if (time.size() == 19) time += 'Z';
  if (const auto found = parse_rfc3339(time)) return *found;
  throw UsageError(
      option + " " + text +
      " is no time: write an age (30s, 15m, 2h, 3d) or a time in UTC (2024-08-04, 2024-08-04 21:34).");
}

void add_filter_options(po::options_description& options) {
  const auto text = [](const char* name) { return po::value<std::string>()->value_name(name); };
  auto add = options.add_options();
  add("state,s", text("LIST"),
      "only these: queued, running, done, failed, cancelled, lost, separated by commas");
  add("function,f", text("NAME"), "only tasks of this function");
  add("since", text("TIME"), "only tasks begun then or later: an age (30s, 15m, 2h, 3d) or a time in UTC");
  add("until", text("TIME"), "only tasks begun before then");
  add("host", text("HOST"), "only tasks that a worker on this host had last, or the worker HOST:PID");
  add("batch", po::value<std::int64_t>()->value_name("NUMBER"),
      "only tasks of this batch, a number that `show` tells");
  add("text", text("TEXT"), "only tasks with this text in their id or arguments");
}

TaskFilter filter_of(const po::variables_map& values) {
  TaskFilter filter;
  filter.states = states_of(text_of(values, "state"));
  filter.function = text_of(values, "function");
  filter.host = text_of(values, "host");
  filter.text = text_of(values, "text");
  if (values.count("batch") != 0) filter.batch = values["batch"].as<std::int64_t>();
  if (values.count("since") != 0) filter.since = moment_of(text_of(values, "since"), "--since");
  if (values.count("until") != 0) filter.until = moment_of(text_of(values, "until"), "--until");
  if (filter.since && filter.until && *filter.since >= *filter.until) {
    throw UsageError("No time is after --since " + text_of(values, "since") + " and before --until " +
                     text_of(values, "until") + ": exchange them.");
  }
  return filter;
}

std::unique_ptr<SiteView> look_at_site(const Settings& settings) {
  std::unique_ptr<SiteView> view(
      new SiteView{ask_workers(settings.state_directory), TaskQuery(settings.record)});
  view->record.know_in_hand(view->workers.workers);
  return view;
}

void for_each_task(TaskQuery& record, const TaskFilter& filter, std::size_t most,
                   const std::function<bool(const TaskSummary&)>& use) {
  std::size_t count = 0;
  std::string older;
  do {
    const std::size_t size = most == 0 ? page_size : std::min(page_size, most - count);
    const TaskPage page = record.list(filter, size, older);
    for (const TaskSummary& task : page.tasks) {
      if (!use(task)) return;
    }
    count += page.tasks.size();
    older = page.older;
  } while (!older.empty() && (most == 0 || count < most));
}

std::string nothing_found(TaskQuery& record, const TaskFilter& filter, const CommandOptions& options) {
  const std::vector<std::string> functions = record.functions();
  if (functions.empty()) {
    return "The record " + record.path() + " has no tasks: send one with " +
           options.suggested("submit", "FUNCTION -- ARGUMENT…") + ".";
  }
  const std::string function = lower_case(filter.function);
  if (!function.empty() && !std::ranges::binary_search(functions, function)) {
    return "No task of " + filter.function + " was ever recorded." + did_you_mean(function, functions) + " " +
           options.suggested("scripts list") + " has the functions.";
  }
  return "No task matches in the record " + record.path() + ": leave out a filter, or look at " +
         options.suggested("tasks list") + " alone.";
}

}  // namespace quire
