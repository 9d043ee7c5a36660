// Deleting tasks that have ended: which, how many these are, and doing it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "worker/page/layout.hpp"
#include "worker/task_query.hpp"

namespace quire::page {

// GET /clear: asks which (the parameters function, state and age) and says how many would go. Nothing goes
// before its button is pressed.
HttpResponse clearing_view(const Visit& visit, TaskQuery& record);

// The tasks that would go (the parameters function, state and before, a time in RFC 3339), and perhaps some
// that began before then and ended later. Throws std::invalid_argument where they do not say which.
TaskFilter cleared_by(const HttpRequest& request);

// POST /clear, of somebody who may: deletes them. form: function, state and before, as the page has written
// them, so that nothing goes that ended after it was looked at.
HttpResponse clear(const Visit& visit, const std::vector<std::pair<std::string, std::string>>& form,
                   TaskQuery& record, const std::string& path);

}  // namespace quire::page
