// The batches, with how far those in hand have come.
#pragma once

#include "worker/page/layout.hpp"
#include "worker/task_query.hpp"
#include "worker/worker_status.hpp"

namespace quire::page {

// GET /batches. workers: what those of this host say of themselves.
HttpResponse batch_list(const Visit& visit, TaskQuery& record, const std::vector<WorkerStatus>& workers);

}  // namespace quire::page
