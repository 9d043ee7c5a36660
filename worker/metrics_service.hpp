// The metrics' address: /metrics for Prometheus, /healthz and /readyz for whoever restarts or routes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "worker/http_server.hpp"
#include "worker/metrics.hpp"

namespace quire {

// How the worker is, in sentences.
struct Health {
  std::string stuck;      // a loop that does not turn; empty: all do
  std::string not_ready;  // why no batches are taken; empty: they are
  std::string record;     // "healthy", or why it is not written: batches are run and answered all the same
};

//   GET /healthz   200 as long as the loops turn, else 503
//   GET /readyz    200 while functions are registered with a job server, else 503
class MetricsService {
 public:
  struct Sources {
    std::function<std::vector<Metrics::Gauge>()> gauges;  // on the server's thread, as the next
    std::function<Health()> health;
  };

  // metrics must outlive it. Throws std::invalid_argument where the address is none.
  MetricsService(const std::string& address, const Metrics& metrics, Sources sources);

 private:
  HttpResponse answer(const HttpRequest& request) const;

  const Metrics& metrics_;
  const Sources sources_;
  HttpServer server_;  // last: its thread uses the above
};

}  // namespace quire
