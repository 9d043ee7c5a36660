#include "worker/page/batch_list.hpp"

#include <charconv>
#include <map>

namespace quire::page {
namespace {

constexpr std::size_t page_size = 50;

using InHand = std::map<std::pair<std::string, std::string>, const BatchStatus*>;  // by worker and handle

InHand in_hand(const std::vector<WorkerStatus>& workers) {
  InHand batches;
  for (const WorkerStatus& worker : workers) {
    for (const BatchStatus& batch : worker.batches) batches[{worker.client, batch.handle}] = &batch;
  }
  return batches;
}

Html progress(const BatchSummary& batch, const BatchStatus* now) {
  Html html;
  if (batch.state != BatchState::running) {
    html << counted(static_cast<std::size_t>(batch.tasks), "task");
    if (batch.failed > 0)
      html << ", <span class=\"bad\">"_html << grouped(batch.failed) << " failed</span>"_html;
    if (batch.cancelled > 0) html << ", "_html << grouped(batch.cancelled) << " cancelled"_html;
    return html;
  }
  const std::size_t ended = now == nullptr ? 0 : now->ended;
  html << "<progress max=\""_html << batch.tasks << "\" value=\""_html << ended
       << "\" aria-label=\"Tasks ended\">"_html
       << "</progress> <span class=\"of\">"_html << grouped(static_cast<std::int64_t>(ended)) << " of "_html
       << grouped(batch.tasks) << "</span>"_html;
  if (now != nullptr && now->waits_for_host)
    html << " <span class=\"hint\">its script is being loaded</span>"_html;
  return html;
}

Html row(const BatchSummary& batch, const BatchStatus* now, Timestamp time) {
  Html html;
  const bool runs = batch.state == BatchState::running;
  return html << "<tr id=\"b-"_html << batch.batch << "\"><td class=\"c-state\">"_html
              << state_badge(name_of(batch.state)) << "</td><td class=\"c-task\"><a href=\""_html
              << url("/", {{"batch", std::to_string(batch.batch)}}) << "\"><span class=\"function\">"_html
              << batch.function << "</span></a><span class=\"id\">"_html << batch.handle
              << "</span></td><td class=\"c-progress\" data-label=\"Tasks\">"_html << progress(batch, now)
              << "</td><td class=\"c-host\" data-label=\"Worker\">"_html << batch.client
              << "</td><td class=\"c-time\" data-label=\"Begun\">"_html << time_of(batch.begun, time)
              << "</td><td class=\"c-took num\" data-label=\"Took\">"_html
              << took(batch.begun, runs ? std::optional(time) : batch.ended)
              << "</td><td data-label=\"Reply\">"_html << (batch.delivery.empty() ? "–" : batch.delivery)
              << "</td></tr>"_html;
}

}  // namespace

HttpResponse batch_list(const Visit& visit, TaskQuery& record, const std::vector<WorkerStatus>& workers) {
  const std::string function(visit.request.parameter("function"));
  std::int64_t older = 0;
  const std::string_view place = visit.request.parameter("older");
  std::from_chars(place.data(), place.data() + place.size(), older);
  const BatchPage page = record.batches(page_size, older, function);
  const InHand now = in_hand(workers);
  Html html;
  html << "<h1>Batches</h1>"_html;
  if (page.batches.empty()) {
    html
        << "<p class=\"empty\">There are no batches here: they come as soon as a controller sends one.</p>"_html;
  } else {
    html << "<table class=\"rows batches\"><caption class=\"hidden\">Batches, the newest "
            "first</caption><thead><tr>"
            "<th scope=\"col\">State</th><th scope=\"col\">Batch</th><th scope=\"col\">Tasks</th>"
            "<th scope=\"col\">Worker</th><th scope=\"col\">Begun (UTC)</th><th scope=\"col\" "
            "class=\"num\">Took</th>"
            "<th scope=\"col\">Reply</th></tr></thead><tbody>"_html;
    for (const BatchSummary& batch : page.batches) {
      const auto found = now.find({batch.client, batch.handle});
      html << row(batch, found == now.end() ? nullptr : found->second, visit.now);
    }
    html << "</tbody></table>"_html;
  }
  if (older != 0 || page.older != 0) {
    html << "<nav class=\"pager\" aria-label=\"Pages\">"_html;
    if (older != 0)
      html << "<a href=\""_html << url("/batches", {{"function", function}}) << "\">Newest batches</a>"_html;
    if (page.older != 0) {
      html << "<a rel=\"next\" href=\""_html
           << url("/batches", {{"function", function}, {"older", std::to_string(page.older)}})
           << "\">Older batches</a>"_html;
    }
    html << "</nav>"_html;
  }
  return document(visit, "Batches", "/batches", html);
}

}  // namespace quire::page
