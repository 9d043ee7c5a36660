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
constexpr std::array<State, 4> states = {
    {{"", "however they ended"}, {"done", "done"}, {"failed", "failed"}, {"cancelled", "cancelled"}}};

const Age& age_of(std::string_view name) {
  const auto* const found = std::ranges::find(ages, name, &Age::name);
  return found == ages.end() ? ages.front() : *found;
}

EndedTasks chosen_tasks(std::string_view function, std::string_view state, Timestamp before) {
  if (std::ranges::find(states, state, &State::name) == states.end()) throw std::invalid_argument("state");
  return {.function = boost::algorithm::to_lower_copy(std::string(function), std::locale::classic()),
          .before = before,
          .done = state.empty() || state == "done",
          .failed = state.empty() || state == "failed",
          .cancelled = state.empty() || state == "cancelled"};
}

Timestamp moment(std::string_view text) {
  const std::optional<Timestamp> time = parse_rfc3339(text);
  if (!time) throw std::invalid_argument("before");
  return *time;
}

// "no task", "12 tasks", "more than 1,000 tasks".
std::string amount(TaskQuery& record, const EndedTasks& which) {
  const TaskPage page = record.list(filter_of(which), most_counted);
  const auto number = static_cast<std::uint64_t>(std::ranges::count_if(
      page.tasks, [&](const TaskSummary& task) { return task.ended && *task.ended < which.before; }));
  if (!page.older.empty()) return "more than " + counted(number, "task");
  return number == 0 ? "no task" : counted(number, "task");
}

template <typename Choices>
void choose(Html& html, const Choices& choices, std::string_view chosen) {
  for (const auto& choice : choices) {
    html << "<option value=\""_html << std::string_view(choice.name) << "\""_html;
    if (chosen == choice.name) html << " selected"_html;
    html << ">"_html << std::string_view(choice.title) << "</option>"_html;
  }
}

// What is told of the last deletion to whoever comes to the page after its end.
Html outcome(const ClearingThread* last, Timestamp now) {
  Html html;
  if (last == nullptr) return html;
  const ClearingThread::State state = last->state();
  const std::string deleted = counted(state.progress.deleted, "task");
  switch (state.phase) {
    case ClearingThread::Phase::done:
      html << "<p class=\"notice\" role=\"status\" id=\"outcome\">"_html << deleted << " deleted ("_html;
      break;
    case ClearingThread::Phase::stopped:
      html << "<p class=\"notice\" role=\"status\" id=\"outcome\">"_html << deleted << " of "_html
           << grouped(static_cast<std::int64_t>(state.progress.total))
           << " deleted, then somebody stopped it; the others are still there ("_html;
      break;
    case ClearingThread::Phase::failed:
      html << "<p class=\"problem\" role=\"alert\" id=\"outcome\">Not all was deleted, but "_html << deleted
           << ": "_html << state.problem << " ("_html;
      break;
    case ClearingThread::Phase::running:
      return html;
  }
  return html << time_of(state.changed, now) << " UTC).</p>"_html;
}

HttpResponse progress_view(const Visit& visit, const ClearingThread& running) {
  const DeletionProgress progress = running.state().progress;
  Html html;
  html << "<h1>Tasks are being deleted</h1><p id=\"amount\">"_html;
  if (progress.total == 0) {
    html << "Those that ended before "_html << time_of(running.which().before, visit.now)
         << " UTC are being counted."_html;
  } else {
    html << "<progress max=\""_html << progress.total << "\" value=\""_html << progress.deleted
         << "\" aria-label=\"Tasks deleted\"></progress> <span class=\"of\">"_html
         << grouped(static_cast<std::int64_t>(progress.deleted)) << " of "_html
         << counted(progress.total, "task") << " deleted.</span>"_html;
  }
  html << "</p><p>Workers go on meanwhile, and so does this without anybody who looks on.</p>"
          "<div class=\"title\">"_html
       << action(visit, "/clear/stop", "<button class=\"danger\">Leave the rest</button>"_html)
       << "<a href=\"/\">All tasks</a></div>"_html;
  // script.js keeps the page up to date by itself.
  return document(visit, "Tasks are being deleted", "", html, 200,
                  "<noscript><meta http-equiv=\"refresh\" content=\"2\"></noscript>"_html);
}

}  // namespace

HttpResponse clearing_view(const Visit& visit, TaskQuery& record, const ClearingThread* last) {
  if (is_running(last)) return progress_view(visit, *last);
  const std::string function(visit.request.parameter("function"));
  const std::string state(visit.request.parameter("state"));
  const Age& age = age_of(visit.request.parameter("age"));
  const EndedTasks which = chosen_tasks(function, state, visit.now - age.time);
  const std::string before = iso8601(*which.before);
  const std::string number = amount(record, which);

  Html html;
  html << "<h1>Delete tasks that have ended</h1>"_html << outcome(last, visit.now)
       << "<form class=\"filters\" method=\"get\" action=\"/clear\" "
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
  return filter_of(chosen_tasks(request.parameter("function"), request.parameter("state"),
                                moment(request.parameter("before"))));
}

bool is_running(const ClearingThread* last) {
  return last != nullptr && last->state().phase == ClearingThread::Phase::running;
}

HttpResponse clear(const Visit& visit, const std::vector<std::pair<std::string, std::string>>& form,
                   const std::string& path, std::unique_ptr<ClearingThread>& last) {
  if (is_running(last.get())) {
    const DeletionProgress progress = last->state().progress;
    return message_page(visit, 409, "Nothing more is deleted",
                        "A deletion goes on, with " + grouped(static_cast<std::int64_t>(progress.deleted)) +
                            " of " + counted(progress.total, "task") +
                            " deleted: wait for its end, or stop it.",
                        {{"/clear", "How far it is"}, {"/", "All tasks"}});
  }
  std::optional<EndedTasks> which;
  try {
    const Timestamp before = moment(field(form, "before"));
    // A time to come would take what nobody has looked at.
    if (before <= visit.now) which = chosen_tasks(field(form, "function"), field(form, "state"), before);
  } catch (const std::invalid_argument&) {
    // It is told below.
  }
  if (!which) {
    return message_page(visit, 400, "Nothing was deleted",
                        "Say before which time they ended (before, in RFC 3339, not later than now), and as "
                        "state done, failed, cancelled or nothing.");
  }
  const std::string told = "page: tasks that ended before " + iso8601(*which->before);
  logs::web()->info("{} are being deleted on request", told);
  last = std::make_unique<ClearingThread>(path, *which, [told](const ClearingThread::State& state) {
    const std::string deleted = counted(state.progress.deleted, "task") + " deleted";
    if (state.phase == ClearingThread::Phase::failed) {
      logs::web()->error("{}: {}, then: {}", told, deleted, state.problem);
    } else {
      logs::web()->info("{}: {}{}", told, deleted,
                        state.phase == ClearingThread::Phase::stopped ? ", then stopped" : "");
    }
  });
  HttpResponse response = redirect("/clear");
  response.body = "They are being deleted; GET /clear tells how far that is.\n";
  return response;
}

HttpResponse stop_clearing(const Visit& visit, ClearingThread* last) {
  if (!is_running(last))
    return message_page(visit, 409, "Nothing was stopped", "No deletion goes on: the last one has ended.",
                        {{"/clear", "What became of it"}, {"/", "All tasks"}});
  last->stop();
  return redirect("/clear");
}

}  // namespace quire::page
