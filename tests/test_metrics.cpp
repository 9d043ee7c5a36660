#include "worker/metrics.hpp"

#include <doctest/doctest.h>

#include <regex>
#include <sstream>
#include <thread>

#include "worker/timed_record.hpp"

using namespace quire;
using namespace std::chrono_literals;

namespace {

Batch batch_of(const std::string& function, std::initializer_list<int> exit_codes) {
  Batch batch;
  batch.function = function;
  for (const int code : exit_codes) {
    Task& task = batch.tasks.emplace_back();
    task.result.emplace().exit_code = code;
  }
  return batch;
}

bool has_line(const std::string& text, const std::string& line) {
  return text.starts_with(line + "\n") || text.find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("metrics: Archivematica's") {
  Metrics metrics("mcpclient_");
  metrics.know_functions({"hello_v0.0", "move_v0.0"});

  SUBCASE("every function that is offered is there from the start, with zeros") {
    const std::string text = metrics.exposition({});
    for (const char* name : {"job_total", "job_success_timestamp", "job_error_total", "job_error_timestamp",
                             "task_execution_time_seconds_sum", "task_execution_time_seconds_count"}) {
      CAPTURE(name);
      CHECK(has_line(text, std::string("mcpclient_") + name + "{script_name=\"hello_v0.0\"} 0"));
      CHECK(has_line(text, std::string("mcpclient_") + name + "{script_name=\"move_v0.0\"} 0"));
    }
    for (const char* bound :
         {"2", "5", "10", "20", "30", "60", "120", "300", "600", "1800", "3600", "+Inf"}) {
      CAPTURE(bound);
      CHECK(has_line(
          text, std::string("mcpclient_task_execution_time_seconds_bucket{script_name=\"move_v0.0\",le=\"") +
                    bound + "\"} 0"));
    }
  }
  SUBCASE("tasks are counted one by one, and time is measured by the batch") {
    metrics.batch_ended(batch_of("hello_v0.0", {0, 3, 0}), 4s);
    metrics.batch_ended(batch_of("hello_v0.0", {0}), 5s);
    const std::string text = metrics.exposition({});
    CHECK(has_line(text, "mcpclient_job_total{script_name=\"hello_v0.0\"} 4"));
    CHECK(has_line(text, "mcpclient_job_error_total{script_name=\"hello_v0.0\"} 1"));
    CHECK(has_line(text,
                   "mcpclient_task_execution_time_seconds_bucket{script_name=\"hello_v0.0\",le=\"2\"} 0"));
    CHECK(has_line(text,
                   "mcpclient_task_execution_time_seconds_bucket{script_name=\"hello_v0.0\",le=\"5\"} 2"));
    CHECK(has_line(text,
                   "mcpclient_task_execution_time_seconds_bucket{script_name=\"hello_v0.0\",le=\"+Inf\"} 2"));
    CHECK(has_line(text, "mcpclient_task_execution_time_seconds_sum{script_name=\"hello_v0.0\"} 9"));
    CHECK(std::regex_search(
        text, std::regex(R"(mcpclient_job_success_timestamp\{script_name="hello_v0.0"\} 1\d{9})")));
    CHECK(has_line(text, "mcpclient_job_success_timestamp{script_name=\"move_v0.0\"} 0"));
  }
  SUBCASE("a task that is answered from the record is not counted once more") {
    Batch batch = batch_of("hello_v0.0", {0, 1});
    for (Task& task : batch.tasks) task.result->on_record = true;
    metrics.batch_ended(batch, 1s);
    const std::string text = metrics.exposition({});
    CHECK(has_line(text, "mcpclient_job_total{script_name=\"hello_v0.0\"} 0"));
    CHECK(has_line(text, "mcpclient_task_execution_time_seconds_count{script_name=\"hello_v0.0\"} 0"));
    CHECK(has_line(text, "quire_tasks_from_record_total 2"));
  }
  SUBCASE("a function that nobody has told of is counted, too, and its name can break no line") {
    metrics.batch_ended(batch_of("a\"b\\c\nd\xff", {0}), 1s);
    CHECK(has_line(metrics.exposition({}), "mcpclient_job_total{script_name=\"a\\\"b\\\\c\\nd\uFFFD\"} 1"));
  }
}

TEST_CASE("metrics: the prefix is CCP's where that is set") {
  Metrics metrics("worker_");
  metrics.know_functions({"hello"});
  CHECK(has_line(metrics.exposition({}), "worker_job_total{script_name=\"hello\"} 0"));
}

TEST_CASE("metrics: ours") {
  Metrics metrics("mcpclient_");
  SUBCASE("limits that struck, cancelled tasks, replies") {
    Batch batch = batch_of("hello", {1, 1, 130, 0});
    batch.tasks[0].result->ended_by = "time_limit";
    batch.tasks[1].result->ended_by = "a limit to come";
    batch.tasks[2].result->ended_by = "cancelled";
    metrics.batch_ended(batch, 1s);
    metrics.reply_delivered(true);
    metrics.reply_delivered(false);
    metrics.batch_interrupted();
    const std::string text = metrics.exposition({});
    CHECK(has_line(text, "quire_limit_struck_total{limit=\"time_limit\"} 1"));
    CHECK(has_line(text, "quire_limit_struck_total{limit=\"memory_limit\"} 0"));
    CHECK(has_line(text, "quire_tasks_cancelled_total 1"));
    for (const char* delivery : {"delivered", "undelivered", "interrupted"})
      CHECK(has_line(text, std::string("quire_replies_total{delivery=\"") + delivery + "\"} 1"));
  }
  SUBCASE("gauges are told as they are given") {
    const std::string text = metrics.exposition(
        {{.name = "quire_hosts", .help = "Hosts by state", .values = {{metric_label("state", "ready"), 2}}}});
    CHECK(text.ends_with(
        "# HELP quire_hosts Hosts by state\n# TYPE quire_hosts gauge\nquire_hosts{state=\"ready\"} 2\n"));
  }
  SUBCASE("how long batches wait for the record") {
    struct SlowRecord final : TaskRecord {
      Begun begin(const Batch&, const std::vector<Task*>& tasks) override {
        return {.to_run = tasks, .elsewhere = {}};
      }
      void interrupted(const Batch&, const std::vector<Task*>&) override {}
      void finished(const Batch&) override { std::this_thread::sleep_for(3ms); }
      void delivered(const std::string&, const std::string&, bool) override {}
    } slow;
    TimedRecord record(slow, metrics);
    Batch batch = batch_of("hello", {0});
    CHECK(record.begin(batch, {&batch.tasks[0]}).to_run.size() == 1);
    record.finished(batch);
    const std::string text = metrics.exposition({});
    CHECK(has_line(text, "quire_record_wait_seconds_count{step=\"begin\"} 1"));
    CHECK(has_line(text, "quire_record_wait_seconds_bucket{step=\"end\",le=\"0.0025\"} 0"));
    CHECK(has_line(text, "quire_record_wait_seconds_count{step=\"end\"} 1"));
  }
}

TEST_CASE("metrics: what many threads count at once is all there") {
  Metrics metrics("mcpclient_");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&metrics, t] {
      for (int i = 0; i < 1000; ++i)
        metrics.batch_ended(batch_of(i % 2 == 0 ? "even" : std::string("f").append(std::to_string(t)), {0, 1}), 1s);
    });
  }
  for (int i = 0; i < 50; ++i) CHECK_FALSE(metrics.exposition({}).empty());
  for (std::thread& thread : threads) thread.join();
  CHECK(has_line(metrics.exposition({}), "mcpclient_job_total{script_name=\"even\"} 4000"));
}
