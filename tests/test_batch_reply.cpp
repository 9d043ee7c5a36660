#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "common/text.hpp"
#include "tests/support/decoded.hpp"
#include "worker/batch.hpp"

using namespace quire;
using namespace std::chrono;
using namespace std::string_literals;

namespace {

const Timestamp moment = sys_days(2024y / August / 4) + 21h + 44min + 55s + 661575us;

Task task_of(std::string id, std::string arguments) {
  Task task;
  task.id = std::move(id);
  task.arguments = std::move(arguments);
  return task;
}

TaskResult result_of(std::int64_t exit_code, std::string output = {}) {
  TaskResult result;
  result.exit_code = exit_code;
  result.output = std::move(output);
  return result;
}

Batch answered(std::string id, TaskResult result, bool wants_output = true) {
  Batch batch;
  batch.tasks.emplace_back().id = std::move(id);
  batch.tasks[0].wants_output = wants_output;
  batch.tasks[0].result = std::move(result);
  return batch;
}

}  // namespace

TEST_CASE("encode_reply") {
  const TaskResult result{.exit_code = 3,
                          .output = "out",
                          .error = "err",
                          .process_output = "p",
                          .process_error = "q",
                          .finished = moment};

  SUBCASE("both stderr keys are sent; what the process itself wrote is not") {
    CHECK(encode_reply(answered("a", result)) ==
          R"({"task_results":{"a":{"exitCode":3,"finishedTimestamp":"2024-08-04T21:44:55.661575+00:00",)"
          R"("stdout":"out","stderr":"err","stderror":"err"}}})");
  }
  SUBCASE("without wants_output there are no texts") {
    CHECK(encode_reply(answered("a", result, false)) ==
          R"({"task_results":{"a":{"exitCode":3,"finishedTimestamp":"2024-08-04T21:44:55.661575+00:00"}}})");
  }
  SUBCASE("exit codes are never negative") {
    for (const auto& [code, wire] :
         {std::pair<std::int64_t, const char*>(-1, "255"), {-15, "143"}, {300, "300"}}) {
      const std::string reply = encode_reply(answered("a", result_of(code), false));
      CHECK(reply ==
            std::string(R"({"task_results":{"a":{"exitCode":)") + wire + R"(,"finishedTimestamp":null}}})");
    }
  }
  SUBCASE("control characters, quotes and backslashes are escaped, bytes that are not UTF-8 become U+FFFD") {
    const std::string nasty = "\0\x1b[1m\b\f\n\r\t\"\\ caf\xe9 \xed\xa0\x80 é"s;
    const std::string reply = encode_reply(answered("i\xff\"", result_of(0, nasty)));
    CHECK(reply.find("\"i\uFFFD\\\"\":{") != std::string::npos);
    CHECK(reply.find(
              "\"stdout\":\"\\u0000\\u001b[1m\\b\\f\\n\\r\\t\\\"\\\\ caf\uFFFD \uFFFD\uFFFD\uFFFD é\"") !=
          std::string::npos);
  }
  SUBCASE("whatever bytes a job wrote, the reply is UTF-8 without raw control characters and reads back") {
    std::string every_pair;
    for (int first = 0; first < 256; ++first) {
      for (int second = 0; second < 256; ++second)
        every_pair += {static_cast<char>(first), static_cast<char>(second)};
    }
    const std::string reply = encode_reply(answered("a", result_of(0, every_pair)));
    CHECK(is_utf8(reply));
    CHECK(std::none_of(reply.begin(), reply.end(), [](unsigned char c) { return c < 0x20; }));
    const auto entries = decode_reply(reply);
    REQUIRE(entries.size() == 1);
    CHECK(entries[0].result.output == to_utf8(every_pair));
  }
  SUBCASE("a reply is always there, with the tasks in the batch's order") {
    Batch batch = decode(R"({"tasks": {"z": 1, "a": 2, "m": 3}})");
    const auto entries = decode_reply(encode_reply(batch));
    REQUIRE(entries.size() == 3);
    CHECK(entries[0].id == "z");
    CHECK(entries[1].id == "a");
    CHECK(entries[2].id == "m");
  }
}

TEST_CASE("encode_workload") {
  SUBCASE("what is sent is what decode_batch reads") {
    std::vector<Task> tasks = {task_of("first \"id\"", "\"a b\" é \x01 \\\\"), task_of("second", "")};
    tasks[0].created_date = iso8601(moment);
    tasks[0].wants_output = false;
    const Batch batch = decode(encode_workload(tasks));
    REQUIRE(batch.tasks.size() == 2);
    CHECK(batch.tasks[0].id == tasks[0].id);
    CHECK(batch.tasks[0].created_date == tasks[0].created_date);
    CHECK(batch.tasks[0].arguments == tasks[0].arguments);
    CHECK_FALSE(batch.tasks[0].wants_output);
    CHECK(batch.tasks[1].created_date.empty());
    CHECK(batch.tasks[1].wants_output);
    CHECK(failure(batch.tasks[1]) == "not failed");
  }
  SUBCASE("it is Archivematica's dialect") {
    CHECK(encode_workload({task_of("a", "x")}) ==
          R"({"tasks":{"a":{"uuid":"a","arguments":"x","wants_output":true}}})");
  }
}

TEST_CASE("decode_reply") {
  SUBCASE("stderr wins; stderror is read where it is the only one, as today's workers send it") {
    CHECK(decode_reply(R"({"task_results":{"a":{"exitCode":0,"stderr":"x","stderror":"y"}}})")[0]
              .result.error == "x");
    CHECK(decode_reply(R"({"task_results":{"a":{"exitCode":0,"stderror":"y"}}})")[0].result.error == "y");
  }
  SUBCASE("the time is read, and may be null or missing") {
    CHECK(
        decode_reply(
            R"({"task_results":{"a":{"exitCode":0,"finishedTimestamp":"2024-08-04T21:44:55.661575+00:00"}}})")
            [0]
                .result.finished == moment);
    CHECK_FALSE(
        decode_reply(R"({"task_results":{"a":{"exitCode":0,"finishedTimestamp":null}}})")[0].result.finished);
    CHECK_FALSE(decode_reply(R"({"task_results":{"a":{"exitCode":0}}})")[0].result.finished);
  }
  SUBCASE("a reply that is not what the contract says is refused with a sentence") {
    const auto refusal = [](std::string_view reply) -> std::string {
      try {
        decode_reply(reply);
      } catch (const std::runtime_error& error) {
        return error.what();
      }
      return "accepted";
    };
    CHECK(refusal("{") == "The reply cannot be read: it is not JSON in UTF-8 (incomplete JSON).");
    CHECK(refusal("[]") == "The reply cannot be read: it has no \"task_results\".");
    CHECK(refusal(R"({"task_results": []})") == "The reply cannot be read: it has no \"task_results\".");
    CHECK(refusal(R"({"task_results": {"a": 1}})") ==
          "The reply cannot be read: the result of task a is not an object.");
    CHECK(refusal(R"({"task_results": {"a": {}}})") ==
          "The reply cannot be read: the \"exitCode\" in the result of task a is not a number.");
    CHECK(refusal(R"({"task_results": {"a": {"exitCode": 0, "stdout": 1}}})") ==
          "The reply cannot be read: the \"stdout\" in the result of task a is not a string.");
    CHECK(refusal(R"({"task_results": {"a": {"exitCode": 0, "finishedTimestamp": "soon"}}})") ==
          "The reply cannot be read: the \"finishedTimestamp\" in the result of task a is neither a time nor "
          "null.");
  }
}
