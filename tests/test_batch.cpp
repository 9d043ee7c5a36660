#include "worker/batch.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>

#include "tests/support/decoded.hpp"

using namespace quire;
using namespace std::chrono;

namespace {

const Timestamp moment = sys_days(2024y / August / 4) + 21h + 44min + 55s + 661575us;

std::string file(const std::string& name) {
  std::ifstream stream(std::string(TEST_DATA "/") + name, std::ios::binary);
  REQUIRE(stream.good());
  return {std::istreambuf_iterator<char>(stream), {}};
}

// What a script that prints its arguments would make of the batch, one way of ending after the other.
std::string reply_to(const std::string& workload) {
  constexpr std::int64_t codes[] = {0, 179, -1, -9};
  Batch batch = decode(workload);
  for (std::size_t i = 0; i < batch.tasks.size(); ++i) {
    Task& task = batch.tasks[i];
    if (!task.result) {
      task.result.emplace().exit_code = codes[i];
      for (const std::string& word : task.words) task.result->output += "<" + word + ">\n";
      if (i > 0) task.result->error = "caf\xe9 \x01\n";
    }
    task.result->finished = i == 2 ? std::nullopt : std::optional(moment);
  }
  return encode_reply(batch);
}

}  // namespace

TEST_CASE("batch: golden payloads") {
  SUBCASE("Archivematica's dialect is answered byte for byte") {
    CHECK(reply_to(file("archivematica_workload.json")) == file("archivematica_reply.json"));
  }
  SUBCASE("CCP's dialect is answered byte for byte") {
    CHECK(reply_to(file("ccp_workload.json")) == file("ccp_reply.json"));
  }
  SUBCASE("quotes, backticks, empty words and characters beyond the 16-bit plane become the right words") {
    CHECK(decode(file("archivematica_workload.json")).tasks[1].words ==
          std::vector<std::string>{
              "/var/archivematica/sharedDirectory/currentlyProcessing/"
              "Café_été-0d3ab1f2-6d0c-4c8e-b7a5-5d3f4a1b2c3d/objects/it's a `backtick` 📜.txt",
              "", "None", "--task", "3c1a2d3e-8f6b-4f0e-9d57-1f0a5b2c4d02"});
  }
}

TEST_CASE("decode_batch: what is in a batch") {
  SUBCASE("the function is in lower case, handle and unique are as they came") {
    const Batch batch = decode(R"({"tasks": {"a": {"arguments": ""}}})");
    CHECK(batch.function == "hello_v0.0");
    CHECK(batch.handle == "H:host:1");
    CHECK(batch.unique == "batch-uuid");
  }
  SUBCASE("the map's key is the id, whatever the task calls itself") {
    CHECK(decode_task(R"({"uuid": "b", "task_uuid": "c", "arguments": "%taskUUID%"})").id == "a");
    CHECK(decode_task(R"({"uuid": 1, "arguments": "%taskUUID%"})").words == std::vector<std::string>{"a"});
  }
  SUBCASE("the order of the map is kept") {
    CHECK(ids(decode(
              R"({"tasks": {"z": {"arguments": ""}, "a": {"arguments": ""}, "m": {"arguments": ""}}})")) ==
          std::vector<std::string>{"z", "a", "m"});
  }
  SUBCASE("wants_output is true where it is missing or null") {
    CHECK(decode_task(R"({"arguments": ""})").wants_output);
    CHECK(decode_task(R"({"arguments": "", "wants_output": null})").wants_output);
    CHECK(decode_task(R"({"arguments": "", "wants_output": true})").wants_output);
    CHECK_FALSE(decode_task(R"({"arguments": "", "wants_output": false})").wants_output);
  }
  SUBCASE("arguments and createdDate are kept as the controller wrote them") {
    const Task task =
        decode_task(R"({"arguments": "\"%sharedPath%x\"  y", "createdDate": "2024-08-04T21:34:35Z"})");
    CHECK(task.arguments == R"("%sharedPath%x"  y)");
    CHECK(task.created_date == "2024-08-04T21:34:35Z");
    CHECK(task.words == std::vector<std::string>{"/var/archivematica/sharedDirectory/x", "y"});
    CHECK_FALSE(task.result);
  }
  SUBCASE("%date% is now") {
    const Timestamp before = now();
    const Task task = decode_task(R"({"arguments": "%date%"})");
    REQUIRE(task.words.size() == 1);
    const auto date = parse_rfc3339(task.words[0]);
    REQUIRE(date.has_value());
    CHECK(*date >= before);
    CHECK(*date <= now());
    CHECK(task.words[0] == iso8601(*date));
  }
  SUBCASE("unknown fields of any shape are ignored, also when they look like ours") {
    const Batch batch = decode(R"({"version": [1, {"tasks": {"x": {}}}], "tasks": {"a": {
      "more": {"arguments": 7, "tasks": {"y": {"arguments": "z"}}}, "list": [[], {}, "arguments", -1, 1.5e3, true],
      "arguments": "one", "big": 18446744073709551615, "note": "a \"b\" é"}}, "other": null})");
    REQUIRE(ids(batch) == std::vector<std::string>{"a"});
    CHECK(failure(batch.tasks[0]) == "not failed");
    CHECK(batch.tasks[0].words == std::vector<std::string>{"one"});
  }
  SUBCASE("escapes in keys and values are read") {
    const Batch batch =
        decode(R"({"t\u0061sks": {"\u00e9\n": {"argument\u0073": "\ud83d\ude00 \"x\ty\""}}})");
    REQUIRE(ids(batch) == std::vector<std::string>{"é\n"});
    CHECK(batch.tasks[0].words == std::vector<std::string>{"😀", "x\ty"});
  }
  SUBCASE("unanswered tasks are those without a result") {
    Batch batch = decode(R"({"tasks": {"a": {"arguments": "x"}, "b": 1, "c": {"arguments": "y"}}})");
    CHECK(batch.unanswered() == std::vector<Task*>{&batch.tasks[0], &batch.tasks[2]});
  }
}

TEST_CASE("decode_batch: size") {
  SUBCASE("100,000 tasks in one batch are all read and answered") {
    std::vector<Task> tasks(100000);
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      tasks[i].id = "task-" + std::to_string(i);
      tasks[i].arguments = "\"%sharedPath%file " + std::to_string(i) + "\"";
    }
    Batch batch = decode(encode_workload(tasks));
    REQUIRE(batch.tasks.size() == tasks.size());
    bool right = true;
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      Task& task = batch.tasks[i];
      right = right && task.id == tasks[i].id && !task.result && task.words.size() == 1 &&
              task.words[0] == argument_settings.shared_directory + "file " + std::to_string(i);
      task.result.emplace().exit_code = static_cast<std::int64_t>(i);
    }
    CHECK(right);
    const std::vector<ReplyEntry> reply = decode_reply(encode_reply(batch));
    REQUIRE(reply.size() == tasks.size());
    for (std::size_t i = 0; i < reply.size(); ++i) {
      right =
          right && reply[i].id == tasks[i].id && reply[i].result.exit_code == static_cast<std::int64_t>(i);
    }
    CHECK(right);
  }
  SUBCASE("a workload of 100 MiB is read") {
    std::string workload = R"({"tasks": {"a": {"arguments": ")";
    const std::size_t begin = workload.size();
    workload.append(100 << 20, 'x') += R"("}, "b": {"arguments": "y"}}})";
    for (std::size_t at = begin + 99; at < begin + (100 << 20); at += 100) workload[at] = ' ';
    const Batch batch = decode(std::move(workload));
    REQUIRE(batch.tasks.size() == 2);
    CHECK(batch.tasks[0].words.size() == (100 << 20) / 100);
    CHECK(batch.tasks[1].words == std::vector<std::string>{"y"});
  }
}

TEST_CASE("task: fail") {
  Task task;

  SUBCASE("the reason is a line on stderr, the exit code 1, and it has a time") {
    task.fail("It broke.");
    CHECK(failure(task) == "It broke.\n");
  }
  SUBCASE("what the job had written stays before the reason, on lines of its own") {
    task.result = TaskResult{.exit_code = 0,
                             .output = "out",
                             .error = "half a line",
                             .process_output = {},
                             .process_error = {},
                             .finished = moment};
    task.fail("Killed.", 137);
    CHECK(task.result->error == "half a line\nKilled.\n");
    CHECK(task.result->output == "out");
    CHECK(task.result->exit_code == 137);
    CHECK(task.result->finished == moment);
  }
}
