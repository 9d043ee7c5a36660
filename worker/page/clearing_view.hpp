// Deleting tasks that have ended: which, how many these are, doing it, and how far that is.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "worker/page/layout.hpp"
#include "worker/record_clearing.hpp"
#include "worker/task_query.hpp"

namespace quire::page {

// GET /clear: asks which (the parameters function, state and age) and says how many would go. Nothing goes
// before its button is pressed. While a deletion goes on: how far it is. last: the last one; null: there was
// none yet.
HttpResponse clearing_view(const Visit& visit, TaskQuery& record, const ClearingThread* last);

// The tasks that would go (the parameters function, state and before, a time in RFC 3339), and perhaps some
// that began before then and ended later. Throws std::invalid_argument where they do not say which.
TaskFilter cleared_by(const HttpRequest& request);

// POST /clear, of somebody who may: begins to delete them, and answers at once. form: function, state and
// before, as the page has written them, so that nothing goes that ended after it was looked at. One at a
// time: another one is refused while `last` goes on.
HttpResponse clear(const Visit& visit, const std::vector<std::pair<std::string, std::string>>& form,
                   const std::string& path, std::unique_ptr<ClearingThread>& last);

// POST /clear/stop: what is not deleted yet stays.
HttpResponse stop_clearing(const Visit& visit, ClearingThread* last);

bool is_running(const ClearingThread* last);

}  // namespace quire::page
