#include "worker/metrics.hpp"

#include <mutex>
#include <utility>

#include <spdlog/fmt/fmt.h>

#include "common/text.hpp"

namespace quire {
namespace {

void count(std::atomic<std::uint64_t>& number, std::uint64_t more = 1) noexcept {
  number.fetch_add(more, std::memory_order_relaxed);
}

double seconds(Timestamp time) { return std::chrono::duration<double>(time.time_since_epoch()).count(); }

// A family of the exposition: its two lines of comment, and then its samples.
class Family {
 public:
  Family(std::string& text, std::string name, const char* type, std::string_view help)
      : text_(text), name_(std::move(name)) {
    fmt::format_to(std::back_inserter(text_), "# HELP {0} {2}\n# TYPE {0} {1}\n", name_, type, help);
  }

  void sample(std::string_view label, double value, std::string_view ending = "") {
    const auto to = std::back_inserter(text_);
    if (label.empty())
      fmt::format_to(to, "{}{} {}\n", name_, ending, value);
    else
      fmt::format_to(to, "{}{}{{{}}} {}\n", name_, ending, label, value);
  }

  template <std::size_t Count>
  void samples(const std::string& label, const Histogram<Count>& histogram) {
    std::uint64_t total = 0;
    for (std::size_t i = 0; i <= Count; ++i) {
      total += histogram.count(i);
      const std::string bound = i == Count ? "+Inf" : fmt::format("{}", histogram.bounds()[i]);
      sample(label + ",le=\"" + bound + "\"", static_cast<double>(total), "_bucket");
    }
    sample(label, histogram.sum(), "_sum");
    sample(label, static_cast<double>(total), "_count");
  }

 private:
  std::string& text_;
  const std::string name_;
};

}  // namespace

// The tasks of one function.
struct Metrics::Function {
  std::atomic<std::uint64_t> total = 0;
  std::atomic<std::uint64_t> errors = 0;
  std::atomic<double> last_success = 0;  // seconds since 1970
  std::atomic<double> last_error = 0;
  Histogram<batch_bounds.size()> batches{batch_bounds};
};

Metrics::Metrics(std::string prefix) : prefix_(std::move(prefix)) {
  for (const char* limit :
       {"time_limit", "memory_limit", "open_files_limit", "process_limit", "output_limit"})
    limits_[limit] = 0;
}

Metrics::~Metrics() = default;

void Metrics::know_functions(const std::vector<std::string>& functions) {
  for (const std::string& name : functions) function(name);
}

Metrics::Function& Metrics::function(const std::string& name) {
  {
    const std::shared_lock lock(mutex_);
    const auto found = functions_.find(name);
    if (found != functions_.end()) return *found->second;
  }
  const std::unique_lock lock(mutex_);
  std::unique_ptr<Function>& made = functions_[name];
  if (!made) made = std::make_unique<Function>();
  return *made;
}

void Metrics::batch_ended(const Batch& batch, std::chrono::duration<double> taken) noexcept try {
  std::uint64_t ran = 0;
  std::uint64_t failed = 0;
  std::uint64_t known = 0;
  for (const Task& task : batch.tasks) {
    const TaskResult& result = *task.result;
    if (result.known_before()) {
      ++known;
      continue;
    }
    ++ran;
    if (result.was_cancelled()) count(cancelled_);
    if (const auto limit = limits_.find(result.ended_by); limit != limits_.end()) count(limit->second);
    if (result.exit_code != 0) ++failed;
  }
  Function& numbers = function(batch.function);
  const double time = seconds(now());
  count(numbers.total, ran);
  count(numbers.errors, failed);
  if (failed < ran) numbers.last_success = time;
  if (failed > 0) numbers.last_error = time;
  if (ran > 0) numbers.batches.observe(taken);
  count(from_record_, known);
} catch (...) {
  // No memory for a new name: the batch is not counted.
}

void Metrics::reply_delivered(bool has_arrived) noexcept { count(has_arrived ? delivered_ : undelivered_); }
void Metrics::batch_interrupted() noexcept { count(interrupted_); }

std::string Metrics::exposition(const std::vector<Gauge>& gauges) const {
  std::string text;
  const auto number = [](const std::atomic<std::uint64_t>& from) {
    return static_cast<double>(from.load(std::memory_order_relaxed));
  };
  {
    const std::shared_lock lock(mutex_);
    const auto for_each = [&](const char* name, const char* type, const char* help, auto value) {
      Family family(text, prefix_ + name, type, help);
      for (const auto& [function, numbers] : functions_)
        family.sample(metric_label("script_name", function), value(*numbers));
    };
    for_each("job_total", "counter", "Number of tasks processed, labeled by script",
             [&](const Function& f) { return number(f.total); });
    for_each("job_success_timestamp", "gauge",
             "Time of the most recent task that succeeded, labeled by script",
             [](const Function& f) { return f.last_success.load(); });
    for_each("job_error_total", "counter", "Number of tasks that failed, labeled by script",
             [&](const Function& f) { return number(f.errors); });
    for_each("job_error_timestamp", "gauge", "Time of the most recent task that failed, labeled by script",
             [](const Function& f) { return f.last_error.load(); });
    Family batches(text, prefix_ + "task_execution_time_seconds", "histogram",
                   "Seconds from the delivery of a batch to its answer, labeled by script");
    for (const auto& [function, numbers] : functions_)
      batches.samples(metric_label("script_name", function), numbers->batches);
  }
  const auto total = [&](const char* name, const char* help, const std::atomic<std::uint64_t>& value) {
    Family(text, name, "counter", help).sample("", number(value));
  };
  total("quire_tasks_from_record_total", "Tasks that were delivered again and answered from the record",
        from_record_);
  total("quire_tasks_cancelled_total", "Tasks that were cancelled", cancelled_);
  {
    Family family(text, "quire_limit_struck_total", "counter",
                  "Tasks that a limit has ended, by its setting");
    for (const auto& [limit, struck] : limits_) family.sample(metric_label("limit", limit), number(struck));
  }
  {
    Family family(text, "quire_replies_total", "counter",
                  "Batches by what became of their reply: interrupted ones are delivered again");
    family.sample(metric_label("delivery", "delivered"), number(delivered_));
    family.sample(metric_label("delivery", "undelivered"), number(undelivered_));
    family.sample(metric_label("delivery", "interrupted"), number(interrupted_));
  }
  total("quire_host_starts_total", "Host processes that were started", hosts_started_);
  total("quire_host_failures_total", "Host processes that ended by themselves", hosts_failed_);
  {
    Family family(text, "quire_record_wait_seconds", "histogram",
                  "Seconds that batches waited for the record, before they began and after they had ended");
    family.samples(metric_label("step", "begin"), begin_wait_);
    family.samples(metric_label("step", "end"), end_wait_);
  }
  for (const Gauge& gauge : gauges) {
    Family family(text, gauge.name, gauge.type, gauge.help);
    for (const Gauge::Value& value : gauge.values) family.sample(value.label, value.value);
  }
  script_metrics_.append_exposition(text);
  return text;
}

std::string metric_label(std::string_view name, std::string_view value) {
  std::string text = std::string(name) + "=\"";
  for (const char c : to_utf8(value)) {
    if (c == '\\' || c == '"') text += '\\';
    if (c == '\n')
      text += "\\n";
    else
      text += c;
  }
  return text + '"';
}

}  // namespace quire
