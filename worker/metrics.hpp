// What the worker counts, and how Prometheus reads it (text exposition, version 0.0.4).
//
// The first five are Archivematica's, by name, label and bucket, so that its dashboards go on to work; their
// prefix is the setting metrics_prefix. Everything else is ours and begins with quire_.
//
//   mcpclient_job_total{script_name="checksum_v0.0"} 1280
//   mcpclient_task_execution_time_seconds_bucket{script_name="checksum_v0.0",le="2"} 9
//
// Counting is a few additions to atomic numbers, and never throws: a metric can fail no task.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "worker/batch.hpp"
#include "worker/script_metrics.hpp"

namespace quire {

// How often something took how long, by upper bounds in seconds. Any thread.
template <std::size_t Count>
class Histogram {
 public:
  explicit constexpr Histogram(const std::array<double, Count>& bounds) : bounds_(bounds) {}

  void observe(std::chrono::duration<double> time) noexcept {
    std::size_t i = 0;
    while (i < Count && time.count() > bounds_[i]) ++i;
    counts_[i].fetch_add(1, std::memory_order_relaxed);
    microseconds_.fetch_add(static_cast<std::uint64_t>(time.count() * 1e6), std::memory_order_relaxed);
  }

  const std::array<double, Count>& bounds() const { return bounds_; }
  // Of the bucket up to bounds()[i], without those below; the last one is above all bounds.
  std::uint64_t count(std::size_t i) const { return counts_[i].load(std::memory_order_relaxed); }
  double sum() const { return static_cast<double>(microseconds_.load(std::memory_order_relaxed)) / 1e6; }

 private:
  const std::array<double, Count>& bounds_;
  std::array<std::atomic<std::uint64_t>, Count + 1> counts_{};
  std::atomic<std::uint64_t> microseconds_ = 0;
};

inline constexpr std::array<double, 11> batch_bounds = {2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600};
inline constexpr std::array<double, 10> record_bounds = {0.001, 0.0025, 0.005, 0.01, 0.025,
                                                         0.05,  0.1,    0.5,   2,    10};

class Metrics {
 public:
  // prefix: of Archivematica's names, such as "mcpclient_".
  explicit Metrics(std::string prefix);
  ~Metrics();

  // These functions have their numbers from now on, all zero.
  void know_functions(const std::vector<std::string>& functions);

  // A batch has been answered after so long. Tasks that were answered from the record have been counted when
  // they ran. REQUIRES: every task has a result
  void batch_ended(const Batch& batch, std::chrono::duration<double> taken) noexcept;

  // Whether the reply of a batch has reached its job server; or there was none, since the worker is stopped.
  void reply_delivered(bool has_arrived) noexcept;
  void batch_interrupted() noexcept;

  // How long a batch waited until it was on record that its tasks begin, or have ended.
  void record_begun(std::chrono::duration<double> waited) noexcept { begin_wait_.observe(waited); }
  void record_finished(std::chrono::duration<double> waited) noexcept { end_wait_.observe(waited); }

  // A host process was started; one ended that should not have.
  void host_started() noexcept { ++hosts_started_; }
  void host_failed() noexcept { ++hosts_failed_; }

  // What client scripts count by themselves.
  ScriptMetrics& script_metrics() noexcept { return script_metrics_; }

  // What is so now and is not counted.
  struct Gauge {
    std::string name;  // quire_batches_in_hand
    std::string help;
    struct Value {
      std::string label;  // with its name and quotes: server="127.0.0.1:4730"; see label(); empty: none
      double value = 0;
    };
    std::vector<Value> values;
    const char* type = "gauge";
  };

  // The text that Prometheus reads. Any thread.
  std::string exposition(const std::vector<Gauge>& gauges) const;

 private:
  struct Function;
  Function& function(const std::string& name);

  const std::string prefix_;
  mutable std::shared_mutex mutex_;                                        // of the map, not of its values
  std::map<std::string, std::unique_ptr<Function>> functions_;             // nothing is ever removed
  std::map<std::string, std::atomic<std::uint64_t>, std::less<>> limits_;  // name of the limit → tasks; fixed
  std::atomic<std::uint64_t> delivered_ = 0;
  std::atomic<std::uint64_t> undelivered_ = 0;
  std::atomic<std::uint64_t> interrupted_ = 0;
  std::atomic<std::uint64_t> from_record_ = 0;
  std::atomic<std::uint64_t> cancelled_ = 0;
  std::atomic<std::uint64_t> hosts_started_ = 0;
  std::atomic<std::uint64_t> hosts_failed_ = 0;
  ScriptMetrics script_metrics_;
  Histogram<record_bounds.size()> begin_wait_{record_bounds};
  Histogram<record_bounds.size()> end_wait_{record_bounds};
};

// name="value", with what must be escaped in it escaped. The value becomes UTF-8.
std::string metric_label(std::string_view name, std::string_view value);

}  // namespace quire
