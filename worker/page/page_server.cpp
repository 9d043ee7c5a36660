#include "worker/page/page_server.hpp"

#include <memory>

#include <spdlog/spdlog.h>

#include "worker/control.hpp"
#include "worker/control_client.hpp"
#include "worker/log.hpp"
#include "worker/page/assets.hpp"
#include "worker/page/batch_list.hpp"
#include "worker/page/clearing_view.hpp"
#include "worker/page/csv.hpp"
#include "worker/page/layout.hpp"
#include "worker/page/sign_in_view.hpp"
#include "worker/page/task_list.hpp"
#include "worker/page/task_view.hpp"

namespace quire::page {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// What workers and job servers say is asked for anew after so long; several pages may be open.
constexpr milliseconds workers_age{900};
constexpr milliseconds queues_age{5'000};
constexpr milliseconds queue_patience{1'000};

constexpr std::size_t csv_piece = 500;  // tasks

// The cookie of a page on another port of this host must not be taken for ours.
std::string cookie_name(const std::string& address) {
  return "quire_" + address.substr(address.rfind(':') + 1);
}

// No script but our own, no markup from elsewhere, no frame around us, no copy kept.
void protect(HttpResponse& response) {
  response.headers.insert(
      response.headers.end(),
      {{"Content-Security-Policy",
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"},
       {"X-Frame-Options", "DENY"},
       {"Referrer-Policy", "same-origin"},
       {"Cross-Origin-Opener-Policy", "same-origin"},
       {"Cross-Origin-Resource-Policy", "same-origin"},
       {"Cache-Control", "no-store"}});
}

}  // namespace

PageServer::PageServer(Options options)
    : options_(std::move(options)),
      sessions_(options_.token_file, cookie_name(options_.address)),
      record_(options_.record),
      server_({.what = "page", .address = options_.address},
              [this](const HttpRequest& request) { return answer(request); }) {}

HttpResponse PageServer::answer(const HttpRequest& request) {
  HttpResponse response;
  const Visit visit{.request = request, .session = sessions_.find(request), .now = now()};
  try {
    if (!is_our_host(request.header("host"), options_.hosts)) {
      response = {.status = 421, .body = "This page is not known by this name (page_hosts).\n"};
    } else {
      response = request.method == "POST" ? change(visit) : read(visit);
    }
  } catch (const RecordUnreadable& error) {
    response = message_page(visit, 503, "The record cannot be read", error.what());
  } catch (const std::invalid_argument&) {
    response =
        message_page(visit, 404, "Not found",
                     "The address does not say which tasks are meant: it may have been cut. Begin with the "
                     "newest ones.");
  }
  protect(response);
  return response;
}

HttpResponse PageServer::read(const Visit& visit) {
  const std::string& path = visit.request.path;
  const auto file = [](std::string type, std::string_view content) {
    return HttpResponse{.type = std::move(type), .body = std::string(content)};
  };
  if (path == "/style.css") return file("text/css; charset=utf-8", style_css);
  if (path == "/script.js") return file("text/javascript; charset=utf-8", script_js);
  if (path == "/icon.svg") return file("image/svg+xml", icon_svg);
  if (path == "/sign-in") return sign_in_view(visit, local_path(visit.request.parameter("next")), "");
  if (path == "/workers") return workers_view(visit, workers(), queues());
  if (clearing_) {
    const std::uint64_t deleted = clearing_->state().progress.deleted;
    if (std::exchange(deletions_counted_, deleted) != deleted) record_.count_anew();
  }
  record_.know_in_hand(workers().workers);
  if (path == "/") return task_list(visit, record_);
  if (path == "/batches") return batch_list(visit, record_, workers().workers);
  if (path == "/tasks.csv") return csv(filter_of(visit.request, visit.now));
  if (path == "/clear") return clearing_view(visit, record_, clearing_.get());
  if (path == "/clear.csv") return csv(cleared_by(visit.request));
  if (path.starts_with("/tasks/")) return one_task(visit, std::string_view(path).substr(7));
  return message_page(visit, 404, "Not found", "There is no page " + path + ". What there is:",
                      {{"/", "All tasks"}, {"/batches", "Batches"}, {"/workers", "Workers and queues"}});
}

HttpResponse PageServer::one_task(const Visit& visit, std::string_view rest) {
  // An id may have a slash in it, so the texts' names count only at the end.
  std::string_view text;
  for (const std::string_view name : {"/stdout", "/stderr", "/process-stdout", "/process-stderr"}) {
    if (!rest.ends_with(name)) continue;
    text = name.substr(1);
    rest.remove_suffix(name.size());
    break;
  }
  std::optional<TaskDetails> details = record_.find(std::string(rest));
  if (!details) {
    return message_page(
        visit, 404, "Not found",
        "The record has no task " + std::string(rest) +
            ": it may still wait at the job server, be on another host's record, or have been "
            "deleted. A part of its id can be searched for.",
        {{url("/", {{"q", std::string(rest.substr(0, 8))}}), "Search for its beginning"},
         {"/workers", "Queues"},
         {"/", "All tasks"}});
  }
  if (details->task.state == TaskState::running) add_written(*details);
  return text.empty() ? task_view(visit, *details) : task_text(visit, *details, text);
}

// What runs has nothing on record yet; its worker knows what it has written.
void PageServer::add_written(TaskDetails& details) {
  for (std::size_t i = 0; i < workers().sockets.size(); ++i) {
    if (workers().workers[i].client != details.task.client) continue;
    try {
      const auto written = decode_written(
          ask_worker(workers().sockets[i], written_request(details.task.id), std::chrono::seconds(2)));
      if (!written) return;
      details.task.process_output = written->output;
      details.task.process_error = written->error;
    } catch (const std::runtime_error& error) {
      logs::web()->debug("page: {}", error.what());  // it may have ended meanwhile
    }
  }
}

// Written while it is read, page by page: the record may have millions of tasks.
HttpResponse PageServer::csv(TaskFilter filter) const {
  HttpResponse response{.type = "text/csv; charset=utf-8", .body = csv_header()};
  response.headers.emplace_back("Content-Disposition", "attachment; filename=\"tasks.csv\"");
  struct Place {
    explicit Place(const std::string& path) : record(path) {}
    TaskQuery record;
    std::string older;
    bool is_first = true;
  };
  response.more = [place = std::make_shared<Place>(options_.record), filter = std::move(filter)] {
    std::string text;
    if (!place->is_first && place->older.empty()) return text;
    const TaskPage page = place->record.list(filter, csv_piece, place->older);
    place->is_first = false;
    place->older = page.older;
    for (const TaskSummary& task : page.tasks) text += csv_line(task);
    return text;
  };
  return response;
}

const WorkersStatus& PageServer::workers() {
  if (Clock::now() - workers_known_ > workers_age) {
    workers_ = ask_workers(options_.state_directory);
    workers_known_ = Clock::now();
  }
  return workers_;
}

const std::vector<Queue>& PageServer::queues() {
  if (Clock::now() - queues_known_ <= queues_age) return queues_;
  queues_.clear();
  for (const JobServer& server : options_.job_servers()) {
    Queue& queue = queues_.emplace_back(Queue{.server = server.name(), .functions = {}, .problem = {}});
    try {
      queue.functions = function_status(server, queue_patience);
    } catch (const std::exception& error) {
      queue.problem = error.what();
    }
  }
  queues_known_ = Clock::now();
  return queues_;
}

}  // namespace quire::page
