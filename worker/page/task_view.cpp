#include "worker/page/task_view.hpp"

#include <array>

namespace quire::page {
namespace {

// More of a text is behind a link: a browser would take long to show it.
constexpr std::size_t longest_text = 256 * 1024;

struct Text {
  const char* name;  // in the URL
  const char* title;
  std::optional<std::string> TaskSummary::*member;
};
constexpr std::array<Text, 4> texts = {
    {{"stdout", "Output", &TaskSummary::output},
     {"stderr", "Errors", &TaskSummary::error},
     {"process-stdout", "Output of the process", &TaskSummary::process_output},
     {"process-stderr", "Errors of the process", &TaskSummary::process_error}}};

void fact(Html& html, std::string_view name, const Html& value) {
  if (!value.empty()) html << "<div><dt>"_html << name << "</dt><dd>"_html << value << "</dd></div>"_html;
}

void fact(Html& html, std::string_view name, std::string_view value) {
  if (!value.empty()) fact(html, name, Html() << value);
}

Html facts(const Visit& visit, const TaskDetails& details) {
  const TaskSummary& task = details.task;
  Html html;
  html << "<dl class=\"facts\">"_html;
  if (task.exit_code) fact(html, "Exit code", Html() << *task.exit_code);
  if (!task.ended_by.empty()) {
    fact(html, "Ended by",
         task.ended_by == "cancelled" ? Html() << std::string_view("somebody who cancelled it")
                                      : Html() << std::string_view("the limit ") << task.ended_by);
  }
  if (task.created) fact(html, "Created", full_time_of(task.created));
  if (task.begun) fact(html, "Begun", full_time_of(task.begun));
  if (task.ended) fact(html, "Ended", full_time_of(task.ended));
  if (task.reported) {
    fact(html, "Has ended",
         full_time_of(task.reported->ended) << " with exit code "_html << task.reported->exit_code
                                            << ". "_html << what_is_awaited(*task.reported));
    fact(html, "Took", took(task.begun, task.reported->ended));
  } else if (task.begun) {
    const bool runs = task.state == TaskState::running;
    fact(html, runs ? "Runs for" : "Took", took(task.begun, runs ? std::optional(visit.now) : task.ended));
  }
  fact(html, "Worker", task.client);
  if (task.batch != 0) {
    fact(html, "Batch",
         Html() << "<a href=\""_html << url("/", {{"batch", std::to_string(task.batch)}}) << "\">"_html
                << (details.handle.empty() ? std::to_string(task.batch) : details.handle) << "</a>"_html);
  }
  fact(html, "Reply", details.delivery);
  fact(html, "Attempts", std::to_string(task.attempts));
  fact(html, "Job", task.job);
  fact(html, "File", task.file_name.empty() ? task.file : task.file_name);
  fact(html, "Output", std::string_view(details.wants_output ? "goes to the controller, too" : ""));
  return html << "</dl>"_html;
}

Html attempts(const Visit& visit, const TaskDetails& details) {
  Html html;
  if (details.attempts.size() < 2) return html;
  html << "<section aria-labelledby=\"attempts\"><h2 id=\"attempts\">Attempts</h2><table "
          "class=\"rows\"><thead><tr>"
          "<th scope=\"col\">Begun (UTC)</th><th scope=\"col\">Worker</th><th scope=\"col\">Batch</th>"
          "<th scope=\"col\">End</th></tr></thead><tbody>"_html;
  for (const TaskAttempt& attempt : details.attempts) {
    html << "<tr><td data-label=\"Begun\">"_html << time_of(attempt.begun, visit.now)
         << "</td><td data-label=\"Worker\">"_html << attempt.client << "</td><td data-label=\"Batch\">"_html
         << attempt.handle << "</td><td data-label=\"End\">"_html << attempt.end << "</td></tr>"_html;
  }
  return html << "</tbody></table></section>"_html;
}

Html text_section(const TaskDetails& details, const Text& text) {
  const std::optional<std::string>& content = details.task.*text.member;
  Html html;
  if (!content || content->empty()) return html;
  const std::string_view name = text.name;
  html << "<section class=\"text\" aria-labelledby=\"h-"_html << name << "\"><h2 id=\"h-"_html << name
       << "\">"_html << std::string_view(text.title) << "</h2>"_html;
  std::string_view shown = *content;
  if (shown.size() > longest_text) {
    shown.remove_prefix(shown.size() - longest_text);
    html << "<p class=\"hint\">The last "_html << grouped(static_cast<std::int64_t>(longest_text / 1024))
         << " KiB of "_html << grouped(static_cast<std::int64_t>(content->size() / 1024)) << ".</p>"_html;
  }
  html << "<pre id=\"x-"_html << name << "\" tabindex=\"0\" role=\"region\" aria-label=\""_html
       << std::string_view(text.title) << "\">"_html << shown << "</pre><p class=\"below\"><a href=\""_html
       << task_url(details.task.id) << "/"_html << name << "\">As plain text</a></p></section>"_html;
  return html;
}

// Where nothing of what it writes is known yet: what comes, and when.
std::string_view nothing_written(const TaskSummary& task) {
  if (task.ended) return "It has written nothing, or nothing that was to be recorded.";
  if (task.state == TaskState::cancelled && !task.reported)
    return "It never begins. That is on record when its batch has ended.";
  if (task.reported) return "What it wrote is here when its batch has ended.";
  return "What its process prints is here as soon as there is something; what it writes through its Job is "
         "here when its batch has ended.";
}

}  // namespace

HttpResponse task_view(const Visit& visit, const TaskDetails& details) {
  const TaskSummary& task = details.task;
  Html html;
  html << "<p class=\"path\"><a href=\"/\">Tasks</a></p><div class=\"title\"><h1>"_html << task.function
       << "</h1>"_html << state_badge(name_of(task.state)) << "<div class=\"actions\">"_html;
  if (has_ended(task.state) || task.state == TaskState::lost) {
    html << action(visit, task_url(task.id) + "/retry", "<button class=\"primary\">Run again</button>"_html);
  } else if (!task.reported || !task.reported->counts) {  // nobody can cancel what has ended for good
    html << action(visit, task_url(task.id) + "/cancel", "<button class=\"danger\">Cancel</button>"_html);
  }
  html << "</div></div><p class=\"id\">"_html << task.id << "</p>"_html << facts(visit, details);
  if (!task.arguments.empty()) {
    html << "<section class=\"text\" aria-labelledby=\"h-arguments\"><h2 id=\"h-arguments\">Arguments</h2>"
            "<pre tabindex=\"0\" role=\"region\" aria-label=\"Arguments\">"_html
         << task.arguments << "</pre></section>"_html;
  }
  html << attempts(visit, details);
  Html written;
  for (const Text& text : texts) written << text_section(details, text);
  if (written.empty()) {
    html << "<p class=\"empty\">"_html << nothing_written(task) << "</p>"_html;
  } else if (task.state == TaskState::running) {
    html << "<p class=\"hint\">This is what its process prints; what it writes through its Job is here when "
            "its batch has ended.</p>"_html;
  }
  return document(visit, task.function + " " + task.id, "/", html << written);
}

HttpResponse task_text(const Visit& visit, const TaskDetails& details, std::string_view which) {
  for (const Text& text : texts) {
    if (which == text.name) return {.body = (details.task.*text.member).value_or("")};
  }
  return message_page(visit, 404, "Not found", "A task has no text of this name.");
}

HttpResponse shared_view(const Visit& visit, const std::string& id, const std::vector<std::string>& shares) {
  Html html;
  html << "<h1>Others would fail with it</h1><p>The script does not say that its tasks are independent of "
          "each other, so "_html
       << std::string_view(shares.size() == 1 ? "another task of the same process that has begun"
                                              : "the other tasks of the same process that have begun")
       << " would fail, too:</p><ul>"_html;
  for (const std::string& other : shares)
    html << "<li><a class=\"id\" href=\""_html << task_url(other) << "\">"_html << other << "</a></li>"_html;
  html << "</ul><div class=\"title\">"_html
       << action(visit, task_url(id) + "/cancel", "<button class=\"danger\">Cancel them all</button>"_html,
                 {{"subset", "yes"}})
       << "<a href=\""_html << task_url(id) << "\">Leave them</a></div>"_html;
  return document(visit, "Others would fail with it", "", html, 409);
}

}  // namespace quire::page
