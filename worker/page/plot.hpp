// Throughput and failures over the last hour, as a picture (SVG) and as a sentence.
#pragma once

#include <vector>

#include "worker/page/html.hpp"
#include "worker/task_query.hpp"

namespace quire::page {

Html plot(const std::vector<MinuteFigures>& minutes);

}  // namespace quire::page
