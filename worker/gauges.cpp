#include "worker/gauges.hpp"

#include <algorithm>

namespace quire {
namespace {

using Value = Metrics::Gauge::Value;

Metrics::Gauge one(const char* name, const char* help, double value, const char* type = "gauge") {
  return {.name = name, .help = help, .values = {{"", value}}, .type = type};
}

double seconds(Timestamp time) { return std::chrono::duration<double>(time.time_since_epoch()).count(); }

Metrics::Gauge hosts(const WorkerStatus& status) {
  Metrics::Gauge gauge{.name = "quire_hosts", .help = "Host processes by state", .values = {}};
  for (const char* state : {"loading", "ready", "retired"}) {
    const auto count =
        std::ranges::count_if(status.hosts, [&](const HostStatus& host) { return host.state == state; });
    gauge.values.push_back({metric_label("state", state), static_cast<double>(count)});
  }
  return gauge;
}

Metrics::Gauge servers(const WorkerStatus& status) {
  Metrics::Gauge gauge{.name = "quire_job_server_connected",
                       .help = "Whether the worker is connected to a job server",
                       .values = {}};
  for (const JobServerStatus& server : status.servers)
    gauge.values.push_back({metric_label("server", server.name), server.connected ? 1.0 : 0.0});
  return gauge;
}

}  // namespace

std::vector<Metrics::Gauge> gauges_of(const WorkerStatus& status, const RecordState& record) {
  std::size_t waiting = 0;
  double oldest = 0;
  for (const BatchStatus& batch : status.batches) {
    waiting += batch.waiting.size();
    oldest = std::max(oldest, batch.age.count());
  }
  for (const SubsetStatus& subset : status.subsets) waiting += subset.waiting.size();
  const auto number = [](auto value) { return static_cast<double>(value); };
  return {
      {.name = "quire_build_info",
       .help = "The version of the worker",
       .values = {{metric_label("version", status.version), 1}}},
      one("quire_start_timestamp", "Time when the worker was started", seconds(status.started)),
      one("quire_stopping", "Whether the worker takes no more batches since it is being stopped",
          status.stopping),
      one("quire_short_of_resources", "Whether no process can be started just now",
          status.short_of_resources),
      one("quire_batches_in_hand", "Batches in hand", number(status.batches.size())),
      one("quire_batch_slots", "Batches in hand at most (workers)", number(status.slots)),
      one("quire_oldest_batch_seconds", "Seconds for which the oldest batch has been in hand", oldest),
      one("quire_tasks_waiting", "Tasks in hand that have not begun", number(waiting)),
      one("quire_subsets_running", "Processes that run tasks", number(status.subsets.size())),
      one("quire_subset_slots", "Processes that run tasks at most (max_processes)",
          number(status.max_processes)),
      hosts(status),
      servers(status),
      one("quire_record_healthy", "Whether the task record is written", record.healthy),
      one("quire_record_backlog_entries", "Entries kept in memory until the record can be written again",
          number(record.entries_waiting)),
      one("quire_results_owed", "Results that the controller's database has not got yet",
          number(status.results_owed)),
      one("quire_record_entries_total", "Entries that were written to the record",
          number(record.entries_written), "counter"),
      one("quire_record_transactions_total", "Transactions of the record", number(record.transactions),
          "counter"),
      one("quire_record_entries_lost_total", "Entries that the record will never have",
          number(record.entries_lost), "counter"),
  };
}

}  // namespace quire
