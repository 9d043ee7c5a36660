// How tasks are chosen and written by `quire tasks`: times, ages, cells.
#include <doctest/doctest.h>

#include <sstream>

#include "common/csv.hpp"
#include "worker/commands/command.hpp"
#include "worker/commands/tasks.hpp"

using namespace quire;

namespace {

TaskSummary make_task() {
  TaskSummary task;
  task.id = "7498461c-a2da-462c-ac81-a58f0f4f91b3";
  task.state = TaskState::failed;
  task.function = "checksum_v0.0";
  task.arguments = "sha256 \"a, b\"";
  task.begun = parse_rfc3339("2024-08-04T21:34:35.241750+00:00");
  task.ended = parse_rfc3339("2024-08-04T21:34:36+00:00");
  task.exit_code = 3;
  task.client = "host:42";
  task.error = "=cmd|'/c calc'!A1\nand more";
  return task;
}

std::string written(TaskFormat format, const TaskSummary& task) {
  std::ostringstream stream;
  make_task_output(format, stream, 120)->add(task);
  return stream.str();
}

}  // namespace

TEST_CASE("tasks: cells for a spreadsheet") {
  for (const char* const formula : {"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\uFF1D1",
                                    "\uFF0B1", "\uFF0D1", "\uFF20x"}) {
    CAPTURE(formula);
    const std::string cell = spreadsheet_cell(formula);
    CHECK((cell.starts_with("'") || cell.starts_with("\"'")));
  }
  CHECK(spreadsheet_cell("=a,\"b\"") == "\"'=a,\"\"b\"\"\"");
  CHECK(spreadsheet_cell("a=1") == "a=1");
  CHECK(spreadsheet_cell("") == "");
  CHECK(spreadsheet_cell("two\nlines") == "\"two\nlines\"");
  CHECK(csv_cell("-1") == "-1");
  CHECK(csv_cell("\xff") == "\uFFFD");
}

TEST_CASE("tasks: how they are written") {
  SUBCASE("AtoM's columns") {
    CHECK(written(TaskFormat::atom, make_task()) ==
          "startDate,endDate,jobName,jobStatus,jobInfo,jobUser\n"
          "2024-08-04 21:34:35,2024-08-04 21:34:36,checksum_v0.0,failed,'=cmd|'/c calc'!A1,host:42\n");
    TaskSummary good = make_task();
    good.state = TaskState::done;
    CHECK(written(TaskFormat::atom, good).find(",done,\"sha256 \"\"a, b\"\"\",host:42\n") !=
          std::string::npos);
  }
  SUBCASE("AtoM's jobInfo: what a task failed of, where it said nothing") {
    TaskSummary task = make_task();
    task.error = " \n";
    CHECK(written(TaskFormat::atom, task).find(",failed,\"Failed with exit code 3: sha256 ") !=
          std::string::npos);
    task.process_error = "\nno such file\n";
    CHECK(written(TaskFormat::atom, task).find(",failed,Failed with exit code 3: no such file,host") !=
          std::string::npos);
    task.ended_by = "time_limit";
    CHECK(written(TaskFormat::atom, task)
              .find(",Ended by the limit time_limit with exit code 3: no such file,") != std::string::npos);
    task.state = TaskState::cancelled;
    task.ended_by = "cancelled";
    CHECK(written(TaskFormat::atom, task).find(",cancelled,Cancelled with exit code 3: ") !=
          std::string::npos);
    task.error = "\n\nTwo lines above this\r\n";
    CHECK(written(TaskFormat::atom, task).find(",cancelled,Two lines above this,host") != std::string::npos);
  }
  SUBCASE("of one that has ended and is not on record yet, the code stands in parentheses") {
    TaskSummary task = make_task();
    task.exit_code.reset();
    task.ended.reset();
    task.state = TaskState::running;
    task.reported = {.ended = parse_rfc3339("2024-08-04T21:34:36+00:00").value(), .exit_code = 3};
    CHECK(written(TaskFormat::table, task).find("  (3) ") != std::string::npos);
    CHECK(written(TaskFormat::json, task)
              .find(R"("reported_end":"2024-08-04T21:34:36.000000+00:00","reported_exit_code":3)") !=
          std::string::npos);
  }
  SUBCASE("JSON has null for what is not known") {
    TaskSummary task;
    task.id = "a";
    CHECK(written(TaskFormat::json, task).find(R"("id":"a","state":"queued")") != std::string::npos);
    CHECK(written(TaskFormat::json, task).find(R"("exit_code":null)") != std::string::npos);
    CHECK(written(TaskFormat::json, make_task()).find(R"("begun":"2024-08-04T21:34:35.241750+00:00")") !=
          std::string::npos);
  }
  SUBCASE("a table has nothing that a terminal would obey") {
    TaskSummary task = make_task();
    task.arguments = "\x1b[2J";
    CHECK(written(TaskFormat::table, task).find('\x1b') == std::string::npos);
  }
  SUBCASE("durations") {
    CHECK(duration_text(Seconds(1.25)) == "1.2 s");
    CHECK(duration_text(Seconds(200)) == "3 min 20 s");
    CHECK(duration_text(Seconds(7500)) == "2 h 5 min");
    CHECK(duration_text(Seconds(273'600)) == "3 d 4 h");
  }
}

TEST_CASE("tasks: times and ages") {
  const auto at = [](const char* text) { return parse_rfc3339(text).value(); };
  CHECK(moment_of("2024-08-04", "--since") == at("2024-08-04T00:00:00Z"));
  CHECK(moment_of("2024-08-04 21:34", "--since") == at("2024-08-04T21:34:00Z"));
  CHECK(moment_of("2024-08-04T21:34:35", "--since") == at("2024-08-04T21:34:35Z"));
  CHECK(moment_of("2024-08-04T21:34:35+02:00", "--since") == at("2024-08-04T19:34:35Z"));
  const Timestamp day_ago = moment_of("1d", "--since");
  CHECK(day_ago <= now() - std::chrono::hours(24));
  CHECK(day_ago > now() - std::chrono::hours(25));
  const Timestamp moment = moment_of("0s", "--since");
  CHECK(moment <= now());
  for (const char* const text : {"", "yesterday", "5", "d", "5w", "-1d", "2024-13-01", "99999999999d"}) {
    CAPTURE(text);
    CHECK_THROWS_WITH_AS(moment_of(text, "--since"), doctest::Contains("--since"), UsageError);
  }
}
