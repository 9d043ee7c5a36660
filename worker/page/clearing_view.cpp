#include "worker/page/clearing_view.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <locale>
#include <optional>
#include <stdexcept>

#include <spdlog/spdlog.h>
#include <boost/algorithm/string/case_conv.hpp>

#include "worker/log.hpp"
#include "worker/record_clearing.hpp"

namespace quire::page {
namespace {

// So many are counted one by one; of more it is said that they are more.
constexpr std::size_t most_counted = 1000;

struct Age {
  const char* name;
  const char* title;
  std::chrono::hours time;
};
constexpr std::array<Age, 5> ages = {{{"30d", "more than 30 days ago", std::chrono::hours(24 * 30)},
                                      {"90d", "more than 90 days ago", std::chrono::hours(24 * 90)},
                                      {"7d", "more than a week ago", std::chrono::hours(24 * 7)},
                                      {"24h", "more than a day ago", std::chrono::hours(24)},
                                      {"all", "before now", std::chrono::hours(0)}}};

struct State {
  const char* name;
  const char* title;
};
constexpr std::array<State, 3> states = {
    {{"", "however they ended"}, {"done", "done"}, {"failed", "failed or cancelled"}}};

const Age& age_of(std::string_view name) {
  const auto* const found = std::ranges::find(ages, name, &Age::name);
  return found == ages.end() ? ages.front() : *found;
}

Clearing clearing(std::string_view function, std::string_view state, Timestamp before) {
  Clearing which{.function = boost::algorithm::to_lower_copy(std::string(function), std::locale::classic()),
                 .before = before,
                 .failed = {}};
  if (state == "done") {
    which.failed = false;
  } else if (state == "failed") {
    which.failed = true;
  } else if (!state.empty()) {
    throw std::invalid_argument("state");
  }
  return which;
}

TaskFilter filter_of(const Clearing& which) {
  TaskFilter filter{.function = which.function, .until = which.before};
  if (which.failed.value_or(true)) filter.states = {TaskState::failed, TaskState::cancelled};
  if (!which.failed.value_or(false)) filter.states.insert(TaskState::done);
  return filter;
}

Timestamp moment(std::string_view text) {
  const std::optional<Timestamp> time = parse_rfc3339(text);
  if (!time) throw std::invalid_argument("before");
  return *time;
}

std::string tasks(std::uint64_t number) {
  return grouped(static_cast<std::int64_t>(number)) + (number == 1 ? " task" : " tasks");
}

// "no task", "12 tasks", "more than 1,000 tasks".
std::string amount(TaskQuery& record, const Clearing& which) {
  const TaskPage page = record.list(filter_of(which), most_counted);
  const auto number = static_cast<std::uint64_t>(std::ranges::count_if(
      page.tasks, [&](const TaskSummary& task) { return task.ended && *task.ended < which.before; }));
  if (!page.older.empty()) return "more than " + tasks(number);
  return number == 0 ? "no task" : tasks(number);
}

template <typename Choices>
void choose(Html& html, const Choices& choices, std::string_view chosen) {
  for (const auto& choice : choices) {
    html << "<option value=\""_html << std::string_view(choice.name) << "\""_html;
    if (chosen == choice.name) html << " selected"_html;
    html << ">"_html << std::string_view(choice.title) << "</option>"_html;
  }
}

}  // namespace

HttpResponse clearing_view(const Visit& visit, TaskQuery& record) {
  const std::string function(visit.request.parameter("function"));
  const std::string state(visit.request.parameter("state"));
  const Age& age = age_of(visit.request.parameter("age"));
  const Clearing which = clearing(function, state, visit.now - age.time);
  const std::string before = iso8601(*which.before);
  const std::string number = amount(record, which);

  Html html;
  html << "<h1>Delete tasks that have ended</h1><form class=\"filters\" method=\"get\" action=\"/clear\" "
          "data-keep><label>Ended<select name=\"age\">"_html;
  choose(html, ages, age.name);
  html << "</select></label><label>How<select name=\"state\">"_html;
  choose(html, states, state);
  html << "</select></label><label class=\"grow\">Function<input name=\"function\" placeholder=\"all\" "
          "autocomplete=\"off\" value=\""_html
       << function
       << "\"></label><div class=\"buttons\"><button>Look</button></div></form><p id=\"amount\">"_html
       << "The record has "_html << number << " like this, ended before "_html
       << time_of(which.before, visit.now)
       << " UTC. Tasks that run, wait or are lost stay. A task that was deleted is a new one: it is run when "
          "the job server delivers it once more.</p>"_html;
  if (number != "no task") {
    const std::vector<std::pair<std::string, std::string>> fields = {
        {"function", function}, {"state", state}, {"before", before}};
    html << "<p><a href=\""_html << url("/clear.csv", fields)
         << "\" download>Download them as CSV first</a></p>"_html;
    if (visit.session == nullptr) {
      html << "<p><a href=\""_html
           << url("/sign-in",
                  {{"next", url("/clear", {{"age", age.name}, {"state", state}, {"function", function}})}})
           << "\">Sign in to delete them</a></p>"_html;
    } else {
      html << "<div class=\"title\">"_html
           << action(visit, "/clear", "<button class=\"danger\">Delete them for good</button>"_html, fields)
           << "<a href=\"/\">Leave them</a></div>"_html;
    }
  }
  return document(visit, "Delete tasks that have ended", "", html);
}

TaskFilter cleared_by(const HttpRequest& request) {
  return filter_of(clearing(request.parameter("function"), request.parameter("state"),
                            moment(request.parameter("before"))));
}

HttpResponse clear(const Visit& visit, const std::vector<std::pair<std::string, std::string>>& form,
                   TaskQuery& record, const std::string& path) {
  std::optional<Clearing> which;
  try {
    const Timestamp before = moment(field(form, "before"));
    // A time to come would take what nobody has looked at.
    if (before <= visit.now) which = clearing(field(form, "function"), field(form, "state"), before);
  } catch (const std::invalid_argument&) {
    // It is told below.
  }
  if (!which) {
    return message_page(visit, 400, "Nothing was deleted",
                        "Say before which time they ended (before, in RFC 3339, not later than now), and as "
                        "state done, failed or nothing.");
  }
  std::uint64_t number = 0;
  try {
    if (!record.list(filter_of(*which), 1).tasks.empty()) number = clear_record(path, *which);
  } catch (const RecordUnreadable&) {
    throw;
  } catch (const std::runtime_error& error) {
    return message_page(visit, 503, "Not all was deleted", error.what());
  }
  const std::string told = tasks(number) + " deleted.";
  logs::web()->info("page: somebody deletes tasks that ended before {}: {}", iso8601(*which->before), told);
  if (visit.session == nullptr) return {.body = told + "\n"};
  visit.session->notice = told;
  return redirect("/");
}

}  // namespace quire::page
