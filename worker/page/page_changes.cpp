// What the page changes: the requests with POST.
#include <spdlog/spdlog.h>

#include "worker/batch.hpp"
#include "worker/control.hpp"
#include "worker/control_client.hpp"
#include "worker/gearman_client.hpp"
#include "worker/log.hpp"
#include "worker/page/clearing_view.hpp"
#include "worker/page/layout.hpp"
#include "worker/page/page_server.hpp"
#include "worker/page/sign_in_view.hpp"
#include "worker/page/task_view.hpp"
#include "worker/submitting.hpp"

namespace quire::page {

HttpResponse PageServer::change(const Visit& visit) {
  const std::string& path = visit.request.path;
  if (path == "/sign-in") return sign_in(visit);
  const auto form = decode_form(visit.request.body);
  const std::string refusal = sessions_.refusal(visit.request, field(form, "form_token"));
  if (!refusal.empty()) {
    return message_page(visit, 403, "Nothing was changed", refusal,
                        {{"/sign-in", "Sign in"}, {"/", "All tasks"}});
  }
  if (path == "/sign-out") {
    sessions_.sign_out(visit.request);
    return redirect("/");
  }
  if (path == "/clear") {
    deletions_counted_ = is_running(clearing_.get()) ? deletions_counted_ : 0;
    return clear(visit, form, options_.record, clearing_);
  }
  if (path == "/clear/stop") return stop_clearing(visit, clearing_.get());
  constexpr std::string_view begin = "/tasks/";
  if (const std::size_t end = path.rfind('/'); path.starts_with(begin) && end > begin.size()) {
    const std::string id = path.substr(begin.size(), end - begin.size());
    if (path.substr(end) == "/cancel") return cancel(visit, id);
    if (path.substr(end) == "/retry") return retry(visit, id);
  }
  return message_page(
      visit, 404, "Not found",
      "POST " + path +
          " does nothing here. There are /tasks/ID/cancel, /tasks/ID/retry, /clear, /clear/stop and "
          "/sign-in.");
}

HttpResponse PageServer::sign_in(const Visit& visit) {
  const auto form = decode_form(visit.request.body);
  const std::string next = local_path(field(form, "next"));
  if (is_cross_site(visit.request))
    return message_page(visit, 403, "Nothing was changed", "The request comes from another site.");
  const std::string cookie = sessions_.sign_in(field(form, "token"));
  if (cookie.empty()) return sign_in_view(visit, next, "That is not the token.");
  HttpResponse response = redirect(next);
  response.headers.emplace_back("Set-Cookie", cookie);
  return response;
}

// Whichever worker of this host has the task is asked.
HttpResponse PageServer::cancel(const Visit& visit, const std::string& id) {
  const bool with_subset = field(decode_form(visit.request.body), "subset") == "yes";
  Cancellation outcome{.id = id};
  const WorkersStatus status = ask_workers(options_.state_directory);
  for (const std::string& socket : status.sockets) {
    const std::vector<Cancellation> answers = ask_to_cancel(socket, {id}, with_subset);
    if (answers.empty() || answers.front().kind == Cancellation::Kind::unknown) continue;
    outcome = answers.front();
    break;
  }
  workers_known_ = {};
  const auto tell = [&](const char* text) {
    logs::web()->info("page: task {}: somebody cancels it: {}", id, name_of(outcome.kind));
    if (visit.session == nullptr) return HttpResponse{.body = std::string(text) + "\n"};
    visit.session->notice = text;
    return redirect(task_url(id));
  };
  switch (outcome.kind) {
    case Cancellation::Kind::kept:
      return tell("It is cancelled before it has begun.");
    case Cancellation::Kind::ending:
      return tell("It is cancelled; a process that runs it is ended.");
    case Cancellation::Kind::too_late:
      return tell("It has ended already; its batch has not.");
    case Cancellation::Kind::unknown:
      return tell("No worker of this host has it in hand.");
    case Cancellation::Kind::shared:
      break;
  }
  return shared_view(visit, id, outcome.shares);
}

// Under a new id and as a background job: nobody waits for its reply, and what ended stays on record.
HttpResponse PageServer::retry(const Visit& visit, const std::string& id) {
  const std::optional<TaskDetails> found = record_.find(id);
  if (!found) return message_page(visit, 404, "Nothing was changed", "The record has no task " + id + ".");
  if (!has_ended(found->task.state) && found->task.state != TaskState::lost) {
    return message_page(visit, 409, "Nothing was changed",
                        std::string("It is ") + name_of(found->task.state) +
                            ": it can be run again when it has ended, or when it was cancelled.",
                        {{task_url(id), "The task"}, {"/", "All tasks"}});
  }
  Task task;
  task.id = new_id();
  task.arguments = found->task.arguments;
  task.wants_output = found->wants_output;
  task.created_date = iso8601(now());
  try {
    submit_in_background(options_.job_servers(), options_.prefix.on_server(found->task.function), new_id(),
                         encode_workload({task}));
  } catch (const JobServerUnreachable& error) {
    return message_page(visit, 503, "Nothing was changed", error.what());
  }
  logs::web()->info("page: task {}: somebody runs it again as task {}", id, task.id);
  if (visit.session == nullptr) return {.body = task.id + "\n"};
  visit.session->notice = "It runs again as task " + task.id + ", as soon as a worker has it.";
  return redirect(task_url(id));
}

}  // namespace quire::page
