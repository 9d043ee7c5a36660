#include "worker/page/workers_view.hpp"

#include <algorithm>

namespace quire::page {
namespace {

Html meter(std::string_view name, std::size_t used, std::size_t of) {
  return Html() << "<div class=\"meter\"><span>"_html << name << "</span><progress max=\""_html
                << std::max<std::size_t>(of, 1) << "\" value=\""_html << std::min(used, of)
                << "\" aria-label=\""_html << name << "\"></progress><span class=\"of\">"_html << used
                << " of "_html << of << "</span></div>"_html;
}

void running(Html& html, const WorkerStatus& worker) {
  if (worker.subsets.empty()) return;
  html << "<table class=\"rows\"><caption>Running now</caption><thead><tr><th scope=\"col\">Function</th>"
          "<th scope=\"col\">Task</th><th scope=\"col\" class=\"num\">For</th><th scope=\"col\" "
          "class=\"num\">Process</th>"
          "<th scope=\"col\">Batch</th></tr></thead><tbody>"_html;
  for (const SubsetStatus& subset : worker.subsets) {
    html << "<tr id=\"s-"_html << worker.pid << "-"_html << subset.handle << "-"_html << subset.pid
         << "\"><td data-label=\"Function\">"_html << subset.function << "</td><td data-label=\"Task\">"_html;
    if (subset.running.size() == 1) {
      html << "<a class=\"id\" href=\""_html << task_url(subset.running.front()) << "\">"_html
           << subset.running.front() << "</a>"_html;
    } else {
      html << counted(subset.running.size(), "task");
    }
    html << "</td><td class=\"num\" data-label=\"For\">"_html << duration(subset.age.count())
         << "</td><td class=\"num\" data-label=\"Process\">"_html << subset.pid
         << "</td><td data-label=\"Batch\" class=\"id\">"_html << subset.handle << "</td></tr>"_html;
  }
  html << "</tbody></table>"_html;
}

void hosts(Html& html, const WorkerStatus& worker) {
  if (worker.hosts.empty()) return;
  html << "<details id=\"hosts-"_html << worker.pid << "\"><summary>"_html << worker.hosts.size()
       << std::string_view(worker.hosts.size() == 1 ? " script is loaded" : " scripts are loaded")
       << "</summary><table class=\"rows\"><thead><tr><th scope=\"col\">Script</th><th "
          "scope=\"col\">State</th>"
          "<th scope=\"col\" class=\"num\">Process</th><th scope=\"col\" class=\"num\">Running</th>"
          "<th scope=\"col\" class=\"num\">Runs so far</th></tr></thead><tbody>"_html;
  for (const HostStatus& host : worker.hosts) {
    html << "<tr id=\"host-"_html << host.pid << "\"><td data-label=\"Script\">"_html << host.module
         << "</td><td data-label=\"State\">"_html << host.state
         << "</td><td class=\"num\" data-label=\"Process\">"_html << host.pid
         << "</td><td class=\"num\" data-label=\"Running\">"_html << host.running
         << "</td><td class=\"num\" data-label=\"Runs so far\">"_html
         << grouped(static_cast<std::int64_t>(host.served)) << "</td></tr>"_html;
  }
  html << "</tbody></table></details>"_html;
}

void one(Html& html, const WorkerStatus& worker, Timestamp now) {
  html << "<section class=\"worker\" id=\"w-"_html << worker.pid << "\"><div class=\"title\"><h2>"_html
       << worker.client << "</h2>"_html << state_badge(worker.stopping ? "stopping" : "working")
       << "</div><p class=\"hint\">Version "_html << worker.version << ", up for "_html
       << duration(std::chrono::duration<double>(now - worker.started).count()) << ", "_html
       << counted(worker.functions.size(), "function") << "</p>"_html;
  if (!worker.owed.empty()) html << "<p class=\"problem\">"_html << worker.owed << ".</p>"_html;
  if (!worker.record_healthy) {
    html << "<p class=\"problem\">"_html << worker.record_problem << " "_html
         << grouped(static_cast<std::int64_t>(worker.record_waiting))
         << std::string_view(worker.record_waiting == 1 ? " entry waits" : " entries wait")
         << " for it.</p>"_html;
  }
  if (worker.short_of_resources) {
    html << "<p class=\"problem\">No process can be started just now: look at the limits of processes, "
            "memory and open "
            "files.</p>"_html;
  }
  for (const JobServerStatus& server : worker.servers) {
    if (server.connected) continue;
    html << "<p class=\"problem\">Not connected to job server "_html << server.name << ".</p>"_html;
  }
  html << "<div class=\"meters\">"_html << meter("Batches in hand", worker.batches.size(), worker.slots)
       << meter("Processes", worker.subsets.size(), worker.max_processes) << "</div>"_html;
  running(html, worker);
  hosts(html, worker);
  html << "</section>"_html;
}

void queue(Html& html, const Queue& queue) {
  html << "<section><h2>Queue of "_html << queue.server << "</h2>"_html;
  if (!queue.problem.empty()) {
    html << "<p class=\"problem\">"_html << queue.problem << "</p></section>"_html;
    return;
  }
  std::vector<FunctionStatus> busy;
  std::ranges::copy_if(queue.functions, std::back_inserter(busy),
                       [](const FunctionStatus& function) { return function.jobs > 0; });
  std::ranges::sort(busy, std::greater(), [](const FunctionStatus& function) { return function.jobs; });
  if (busy.empty()) {
    html << "<p class=\"empty\">Nothing waits. "_html << counted(queue.functions.size(), "function")
         << std::string_view(queue.functions.size() == 1 ? " is known." : " are known.")
         << "</p></section>"_html;
    return;
  }
  html
      << "<table class=\"rows\"><thead><tr><th scope=\"col\">Function</th><th scope=\"col\" "
         "class=\"num\">Waiting</th>"
         "<th scope=\"col\" class=\"num\">Running</th><th scope=\"col\">Connections that serve it</th></tr></thead><tbody>"_html;
  for (const FunctionStatus& function : busy) {
    html << "<tr id=\"q-"_html << queue.server << "-"_html << function.name
         << "\"><td data-label=\"Function\">"_html << function.name
         << "</td><td class=\"num\" data-label=\"Waiting\">"_html
         << grouped(static_cast<std::int64_t>(function.jobs - std::min(function.jobs, function.running)))
         << "</td><td class=\"num\" data-label=\"Running\">"_html << function.running
         << "</td><td data-label=\"Served by\">"_html;
    if (function.workers == 0)
      html << "<span class=\"bad\">nobody serves it</span>"_html;
    else
      html << function.workers;
    html << "</td></tr>"_html;
  }
  html << "</tbody></table></section>"_html;
}

}  // namespace

HttpResponse workers_view(const Visit& visit, const WorkersStatus& status, const std::vector<Queue>& queues) {
  Html html;
  html << "<h1>Workers</h1>"_html;
  for (const std::string& problem : status.problems)
    html << "<p class=\"problem\">"_html << problem << "</p>"_html;
  for (const WorkerStatus& worker : status.workers) one(html, worker, visit.now);
  for (const Queue& each : queues) queue(html, each);
  return document(visit, "Workers", "/workers", html);
}

}  // namespace quire::page
