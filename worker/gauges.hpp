// What is so now, as metrics.
#pragma once

#include <vector>

#include "worker/metrics.hpp"
#include "worker/record_writer.hpp"
#include "worker/worker_status.hpp"

namespace quire {

std::vector<Metrics::Gauge> gauges_of(const WorkerStatus& status, const RecordState& record);

}  // namespace quire
