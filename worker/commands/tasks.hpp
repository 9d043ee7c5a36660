// What the parts of `quire tasks` share: which tasks are meant, the record, and how tasks are written.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>

#include "worker/control_client.hpp"
#include "worker/settings.hpp"
#include "worker/task_query.hpp"

namespace quire {

class CommandOptions;

int run_tasks_list(const std::vector<std::string>& arguments);
int run_tasks_show(const std::vector<std::string>& arguments);
int run_tasks_watch(const std::vector<std::string>& arguments);
int run_tasks_export(const std::vector<std::string>& arguments);
int run_tasks_cancel(const std::vector<std::string>& arguments);
int run_tasks_retry(const std::vector<std::string>& arguments);
int run_tasks_clear(const std::vector<std::string>& arguments);

// ---- which tasks ----

// The options of a filter, and the filter that they say. Throws UsageError.
void add_filter_options(boost::program_options::options_description& options);
TaskFilter filter_of(const boost::program_options::variables_map& values);

// A time, as RFC 3339 or the beginning of it ("2024-08-04", "2024-08-04 21:34", UTC), or an age ("30s",
// "15m", "2h", "3d"). Throws UsageError, which names the option.
Timestamp moment_of(const std::string& text, const std::string& option);

// The workers on this host, and the record, which then knows what they have not begun yet.
struct SiteView {
  WorkersStatus workers;
  TaskQuery record;
};
std::unique_ptr<SiteView> look_at_site(const Settings& settings);

// Calls `use` for every task, page by page, `most` at most (0: all of them), until it returns false.
void for_each_task(TaskQuery& record, const TaskFilter& filter, std::size_t most,
                   const std::function<bool(const TaskSummary&)>& use);

// Why nothing was found, and what to do: a sentence for an empty list.
std::string nothing_found(TaskQuery& record, const TaskFilter& filter, const CommandOptions& options);

// ---- how they are written ----

enum class TaskFormat { table, json, csv, atom };

// Writes tasks one after the other; a table begins with its head.
class TaskOutput {
 public:
  virtual ~TaskOutput() = default;
  virtual void add(const TaskSummary& task) = 0;
};

// width: of a table. No cell of CSV is one that a spreadsheet would run as a formula.
//   atom   startDate,endDate,jobName,jobStatus,jobInfo,jobUser, as AtoM's jobs page has them: jobName is the
//          function, jobInfo the first line of the errors of a task that did not end well (without any: its
//          exit code, what struck it, and the last words of its process or its arguments), else the
//          arguments, jobUser the worker
std::unique_ptr<TaskOutput> make_task_output(TaskFormat format, std::ostream& stream, std::size_t width);

// One task with everything, as JSON on one line.
void write_json(std::ostream& stream, const TaskDetails& details);

// "2024-08-04 21:34:35", or "" where there is none.
std::string short_time(const std::optional<Timestamp>& time);
// "1.5 s", "3 min 20 s", "2 h 5 min", "3 d 4 h".
std::string duration_text(Seconds seconds);
// Of the terminal, or 120.
std::size_t terminal_width();
// Text padded to a width; longer text stays as it is. Counts characters, not bytes.
std::string padded(std::string text, std::size_t width);

}  // namespace quire
