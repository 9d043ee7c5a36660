// One task: all that is known of it, with what it wrote.
#pragma once

#include "worker/page/layout.hpp"
#include "worker/task_query.hpp"

namespace quire::page {

// GET /tasks/ID
HttpResponse task_view(const Visit& visit, const TaskDetails& details);

// GET /tasks/ID/stdout, stderr, process-stdout or process-stderr: the whole text, as it was recorded.
HttpResponse task_text(const Visit& visit, const TaskDetails& details, std::string_view which);

// The answer to a request to cancel a task whose process has others in it: which would fail with it, and a
// button that cancels them all.
HttpResponse shared_view(const Visit& visit, const std::string& id, const std::vector<std::string>& shares);

}  // namespace quire::page
