#include "worker/metrics_service.hpp"

#include <utility>

namespace quire {

MetricsService::MetricsService(const std::string& address, const Metrics& metrics, Sources sources)
    : metrics_(metrics),
      sources_(std::move(sources)),
      server_({.what = "metrics", .address = address},
              [this](const HttpRequest& request) { return answer(request); }) {}

HttpResponse MetricsService::answer(const HttpRequest& request) const {
  const auto text = [](unsigned status, std::string body) {
    return HttpResponse{
        .status = status, .body = std::move(body), .headers = {{"Cache-Control", "no-store"}}};
  };
  if (request.method == "POST") return text(405, "Only GET and HEAD are answered.\n");
  if (request.path == "/metrics") {
    HttpResponse response = text(200, metrics_.exposition(sources_.gauges()));
    response.type = "text/plain; version=0.0.4; charset=utf-8";
    return response;
  }
  const Health health = sources_.health();
  if (request.path == "/healthz") {
    return health.stuck.empty() ? text(200, "ok\n") : text(503, health.stuck + "\n");
  }
  if (request.path == "/readyz") {
    const std::string record = "record: " + health.record + "\n";
    return health.not_ready.empty() ? text(200, "ready\n" + record)
                                    : text(503, health.not_ready + "\n" + record);
  }
  if (request.path == "/") return text(200, "/metrics\n/healthz\n/readyz\n");
  return text(404, "There are /metrics, /healthz and /readyz.\n");
}

}  // namespace quire
