// One task: all that is known of it, with what it wrote.
#pragma once

#include "worker/page/layout.hpp"
#include "worker/task_query.hpp"

namespace quire::page {

// GET /tasks/ID
HttpResponse task_view(const Visit& visit, const TaskDetails& details);

// GET /tasks/ID/stdout, stderr, process-stdout or process-stderr: the whole text, as it was recorded.
HttpResponse task_text(const Visit& visit, const TaskDetails& details, std::string_view which);

}  // namespace quire::page
