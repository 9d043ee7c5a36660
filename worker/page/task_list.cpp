#include "worker/page/task_list.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "common/text.hpp"
#include "worker/page/plot.hpp"

namespace quire::page {
namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t page_size = 50;
constexpr std::size_t longest_arguments = 120;

struct Tab {
  const char* name;
  const char* title;
  std::set<TaskState> states;
};

const std::array<Tab, 4>& tabs() {
  static const std::array<Tab, 4> all = {
      {{"all", "All", {}},
       {"active", "Active", {TaskState::queued, TaskState::running}},
       {"failed", "Failed", {TaskState::failed, TaskState::lost}},
       {"finished", "Finished", {TaskState::done, TaskState::failed, TaskState::cancelled}}}};
  return all;
}

const Tab& tab_of(const HttpRequest& request) {
  for (const Tab& tab : tabs()) {
    if (request.parameter("tab") == tab.name) return tab;
  }
  return tabs().front();
}

struct Since {
  const char* name;
  const char* title;
  std::chrono::hours time;
};
constexpr std::array<Since, 4> times = {{{"", "any time", std::chrono::hours(0)},
                                         {"1h", "the last hour", std::chrono::hours(1)},
                                         {"24h", "the last day", std::chrono::hours(24)},
                                         {"7d", "the last week", std::chrono::hours(24 * 7)}}};

constexpr std::array filters = {"q", "function", "host", "since", "batch"};

bool is_filtered(const HttpRequest& request) {
  return std::ranges::any_of(filters, [&](const char* name) { return !request.parameter(name).empty(); });
}

// What is asked for now, without the page: for links that change one thing of it.
Parameters asked(const HttpRequest& request) {
  Parameters parameters{{"tab", std::string(request.parameter("tab"))}};
  for (const char* name : filters) parameters.emplace_back(name, std::string(request.parameter(name)));
  return parameters;
}

std::string with(Parameters parameters, std::string_view name, const std::string& value) {
  for (auto& [key, old] : parameters) {
    if (key == name) {
      old = value;
      return url("/", parameters);
    }
  }
  parameters.emplace_back(name, value);
  return url("/", parameters);
}

Html tab_bar(const HttpRequest& request, const std::map<TaskState, std::int64_t>& counts) {
  Html html;
  html << "<nav class=\"tabs\" aria-label=\"Tasks by state\"><ul>"_html;
  const Tab& current = tab_of(request);
  for (const Tab& tab : tabs()) {
    std::int64_t count = 0;
    for (const auto& [state, number] : counts) {
      if (tab.states.empty() || tab.states.contains(state)) count += number;
    }
    const bool is_all = &tab == &tabs().front();
    html << "<li><a href=\""_html << with(asked(request), "tab", is_all ? "" : tab.name) << "\""_html;
    if (&tab == &current) html << " aria-current=\"page\""_html;
    html << ">"_html << std::string_view(tab.title) << " <span class=\"count\">"_html << grouped(count)
         << "</span></a></li>"_html;
  }
  return html << "</ul></nav>"_html;
}

void option(Html& html, std::string_view value, std::string_view title, bool selected) {
  html << "<option value=\""_html << value << "\""_html;
  if (selected) html << " selected"_html;
  html << ">"_html << title << "</option>"_html;
}

Html filter_form(const HttpRequest& request, TaskQuery& record) {
  Html html;
  html << "<form class=\"filters\" method=\"get\" action=\"/\" role=\"search\" data-keep>"_html;
  for (const char* hidden : {"tab", "batch"}) {
    if (request.parameter(hidden).empty()) continue;
    html << "<input type=\"hidden\" name=\""_html << std::string_view(hidden) << "\" value=\""_html
         << request.parameter(hidden) << "\">"_html;
  }
  html << "<label class=\"grow\">Search<input type=\"search\" name=\"q\" placeholder=\"id or arguments\" "
          "autocomplete=\"off\" value=\""_html
       << request.parameter("q") << "\"></label><label>Function<select name=\"function\">"_html;
  const std::string_view chosen = request.parameter("function");
  option(html, "", "all", chosen.empty());
  bool is_known = chosen.empty();
  for (const std::string& function : record.functions()) {
    is_known = is_known || function == chosen;
    option(html, function, function, function == chosen);
  }
  if (!is_known) option(html, chosen, chosen, true);
  html
      << "</select></label><label>Host<input name=\"host\" placeholder=\"all\" autocomplete=\"off\" value=\""_html
      << request.parameter("host") << "\"></label><label>Begun in<select name=\"since\">"_html;
  for (const Since& since : times)
    option(html, since.name, since.title, request.parameter("since") == since.name);
  html << "</select></label><div class=\"buttons\"><button class=\"primary\">Filter</button>"_html;
  if (is_filtered(request)) {
    html << "<a class=\"quiet\" href=\""_html << url("/", {{"tab", std::string(request.parameter("tab"))}})
         << "\">Clear filters</a>"_html;
  }
  return html << "</div></form>"_html;
}

Html row(const TaskSummary& task, Timestamp now) {
  Html html;
  const std::string arguments = excerpt(to_utf8(task.arguments), longest_arguments);
  html << "<tr id=\"t-"_html << task.id << "\"><td class=\"c-state\">"_html
       << state_badge(name_of(task.state)) << "</td><td class=\"c-task\"><a href=\""_html << task_url(task.id)
       << "\"><span class=\"function\">"_html << task.function << "</span> <span class=\"arguments\">"_html
       << arguments << "</span></a><span class=\"id\">"_html << task.id
       << "</span></td><td class=\"c-host\" data-label=\"Worker\">"_html << task.client
       << "</td><td class=\"c-time\" data-label=\"Begun\">"_html << time_of(task.begun, now)
       << "</td><td class=\"c-took num\" data-label=\"Took\">"_html
       << took(task.begun, task.reported                      ? std::optional(task.reported->ended)
                           : task.state == TaskState::running ? std::optional(now)
                                                              : task.ended)
       << "</td><td class=\"c-exit num\" data-label=\"Exit code\">"_html;
  if (task.exit_code)
    html << *task.exit_code;
  else if (task.reported)
    html << "<span class=\"none\" title=\"It has ended so. "_html << what_is_awaited(*task.reported)
         << "\">("_html << task.reported->exit_code << ")</span>"_html;
  else
    html << "<span class=\"none\">–</span>"_html;
  return html << "</td></tr>"_html;
}

Html pager(const HttpRequest& request, const TaskPage& page) {
  const bool first = request.parameter("older").empty();
  Html html;
  if (first && page.older.empty()) return html;
  html << "<nav class=\"pager\" aria-label=\"Pages\">"_html;
  if (!first) html << "<a href=\""_html << url("/", asked(request)) << "\">Newest tasks</a>"_html;
  if (!page.older.empty())
    html << "<a rel=\"next\" href=\""_html << with(asked(request), "older", page.older)
         << "\">Older tasks</a>"_html;
  return html << "</nav>"_html;
}

}  // namespace

TaskFilter filter_of(const HttpRequest& request, Timestamp now) {
  TaskFilter filter{.states = tab_of(request).states,
                    .function = std::string(request.parameter("function")),
                    .host = std::string(request.parameter("host")),
                    .text = std::string(request.parameter("q"))};
  const std::string_view batch = request.parameter("batch");
  std::from_chars(batch.data(), batch.data() + batch.size(), filter.batch);
  for (const Since& since : times) {
    if (since.time.count() > 0 && request.parameter("since") == since.name) filter.since = now - since.time;
  }
  return filter;
}

HttpResponse task_list(const Visit& visit, TaskQuery& record) {
  const HttpRequest& request = visit.request;
  const TaskPage page =
      record.list(filter_of(request, visit.now), page_size, std::string(request.parameter("older")));
  Html html;
  html << "<h1 class=\"hidden\">Tasks</h1>"_html << plot(record.last_hour(visit.now))
       << tab_bar(request, record.counts()) << filter_form(request, record);
  if (!request.parameter("batch").empty()) {
    html << "<p class=\"scope\">Tasks of batch "_html << request.parameter("batch")
         << " only. <a href=\""_html << with(asked(request), "batch", "")
         << "\">Show all batches</a></p>"_html;
  }
  if (page.tasks.empty()) {
    html << "<p class=\"empty\">"_html
         << std::string_view(is_filtered(request) || !request.parameter("tab").empty()
                                 ? "No task is like this. Choose another tab, or clear the filters."
                                 : "There are no tasks yet: they are here as soon as a batch arrives.")
         << "</p>"_html;
  } else {
    html << "<table class=\"rows tasks\"><caption class=\"hidden\">Tasks, the newest "
            "first</caption><thead><tr>"
            "<th scope=\"col\">State</th><th scope=\"col\">Task</th><th scope=\"col\">Worker</th>"
            "<th scope=\"col\">Begun (UTC)</th><th scope=\"col\" class=\"num\">Took</th>"
            "<th scope=\"col\" class=\"num\">Exit code</th></tr></thead><tbody>"_html;
    for (const TaskSummary& task : page.tasks) html << row(task, visit.now);
    html << "</tbody></table>"_html;
  }
  html << pager(request, page) << "<p class=\"below\"><a href=\""_html << url("/tasks.csv", asked(request))
       << "\" download>Download as CSV</a> <a href=\"/clear\">Delete tasks that have ended</a>"_html;
  return document(visit, "Tasks", "/", html << "</p>"_html);
}

}  // namespace quire::page
