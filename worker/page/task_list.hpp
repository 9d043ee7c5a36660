// The list of tasks: tabs, filters, pages; and the same as CSV.
#pragma once

#include "worker/page/layout.hpp"
#include "worker/task_query.hpp"

namespace quire::page {

// GET /: what the parameters tab, q, function, host, batch, since and older ask for.
HttpResponse task_list(const Visit& visit, TaskQuery& record);

// What these parameters mean.
TaskFilter filter_of(const HttpRequest& request, Timestamp now);

}  // namespace quire::page
