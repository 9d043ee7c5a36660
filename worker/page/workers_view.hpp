// The workers of this host, what they are doing, and the queues of their job servers.
#pragma once

#include "worker/control_client.hpp"
#include "worker/gearman_admin.hpp"
#include "worker/page/layout.hpp"

namespace quire::page {

// The queue of one job server, or why it cannot be read.
struct Queue {
  std::string server;
  std::vector<FunctionStatus> functions;
  std::string problem;
};

// GET /workers
HttpResponse workers_view(const Visit& visit, const WorkersStatus& status, const std::vector<Queue>& queues);

}  // namespace quire::page
