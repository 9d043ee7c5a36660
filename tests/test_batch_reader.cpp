// What decode_batch does with text that is not what the contract says.
#include <doctest/doctest.h>

#include <string>

#include "tests/support/decoded.hpp"
#include "worker/batch.hpp"

using namespace quire;

TEST_CASE("decode_batch: a bad task fails, the others do not") {
  const auto failure_of = [](const std::string& task) {
    const Batch batch = decode(R"({"tasks": {"before": {"arguments": "x"}, "bad": )" + task +
                               R"(, "after": {"arguments": "y"}}})");
    REQUIRE(ids(batch) == std::vector<std::string>{"before", "bad", "after"});
    CHECK(failure(batch.tasks[0]) == "not failed");
    CHECK(batch.tasks[0].words == std::vector<std::string>{"x"});
    CHECK(failure(batch.tasks[2]) == "not failed");
    CHECK(batch.tasks[2].words == std::vector<std::string>{"y"});
    return failure(batch.tasks[1]);
  };

  SUBCASE("a task that is not an object") {
    CHECK(failure_of("[{\"arguments\": \"x\"}]") ==
          "The task cannot be read: it must be an object and is an array.\n");
    CHECK(failure_of("\"x\"") == "The task cannot be read: it must be an object and is a string.\n");
    CHECK(failure_of("1") == "The task cannot be read: it must be an object and is a number.\n");
    CHECK(failure_of("null") == "The task cannot be read: it must be an object and is null.\n");
    CHECK(failure_of("true") == "The task cannot be read: it must be an object and is true or false.\n");
  }
  SUBCASE("arguments that are missing or no string") {
    CHECK(failure_of("{}") == "The task cannot be read: \"arguments\" is missing.\n");
    for (const auto& [value, kind] :
         {std::pair("7", "a number"), std::pair("-1.5", "a number"), std::pair("null", "null"),
          std::pair("{\"a\": 1}", "an object"), std::pair("[\"x\"]", "an array")}) {
      CHECK(failure_of(std::string("{\"arguments\": ") + value + "}") ==
            std::string("The task cannot be read: \"arguments\" must be a string and is ") + kind + ".\n");
    }
  }
  SUBCASE("wants_output that is neither true nor false") {
    CHECK(failure_of(R"({"arguments": "", "wants_output": "yes"})") ==
          "The task cannot be read: \"wants_output\" must be true or false and is a string.\n");
    CHECK(failure_of(R"({"arguments": "", "wants_output": 1})") ==
          "The task cannot be read: \"wants_output\" must be true or false and is a number.\n");
  }
  SUBCASE("createdDate that is no time") {
    CHECK(failure_of(R"({"arguments": "", "createdDate": 1722807275})") ==
          "The task cannot be read: \"createdDate\" must be a string and is a number.\n");
    CHECK(failure_of(R"({"arguments": "", "createdDate": "yesterday"})") ==
          "The task cannot be read: \"createdDate\" must be a time like 2024-08-04T21:34:35.241750+00:00 and "
          "is "
          "\"yesterday\".\n");
    CHECK(failure_of(R"({"arguments": "", "createdDate": ""})").find("and is \"\".") != std::string::npos);
  }
  SUBCASE("%jobCreatedDate% without a createdDate") {
    CHECK(failure_of(R"({"arguments": "--date %jobCreatedDate%"})") ==
          "The task cannot be run: its arguments ask for %jobCreatedDate% and it has no \"createdDate\".\n");
  }
  SUBCASE("arguments that cannot be split") {
    CHECK(failure_of(R"({"arguments": "\"x"})") ==
          "The arguments cannot be split (No closing quotation): \"x\n");
    CHECK(failure_of(R"({"arguments": "x\\"})") ==
          "The arguments cannot be split (No escaped character): x\\\n");
  }
  SUBCASE("arguments that cannot be split are not repeated at any length") {
    const std::string told = failure_of("{\"arguments\": \"\\\"" + std::string(100000, 'x') + "\"}");
    CHECK(told.size() < 1200);
    CHECK(told.find("xxx…\n") != std::string::npos);
  }
  SUBCASE("a field that stands twice") {
    CHECK(failure_of(R"({"arguments": "a", "arguments": "b"})") ==
          "The task cannot be read: \"arguments\" stands twice.\n");
    CHECK(failure_of(R"({"wants_output": true, "arguments": "a", "wants_output": false})") ==
          "The task cannot be read: \"wants_output\" stands twice.\n");
  }
  SUBCASE("an empty id is answered, as failed") {
    const Batch batch = decode(R"({"tasks": {"": {"arguments": ""}}})");
    REQUIRE(ids(batch) == std::vector<std::string>{""});
    CHECK(failure(batch.tasks[0]) == "The task cannot be run: its id is empty.\n");
  }
  SUBCASE("an id that stands more than once is answered once, where it stood first") {
    const Batch batch =
        decode(R"({"tasks": {"a": {"arguments": "1"}, "b": {"arguments": "2"}, "a": {"arguments": "3"},
                                   "c": {"arguments": "4"}, "a": 5}})");
    REQUIRE(ids(batch) == std::vector<std::string>{"a", "b", "c"});
    CHECK(failure(batch.tasks[0]) == "The task cannot be run: its id stands more than once in the batch.\n");
    CHECK(failure(batch.tasks[1]) == "not failed");
    CHECK(batch.tasks[2].words == std::vector<std::string>{"4"});
  }
  SUBCASE("a bad task still says whether it wants output") {
    CHECK_FALSE(decode_task(R"({"arguments": 1, "wants_output": false})").wants_output);
  }
}

TEST_CASE("decode_batch: without an id there is nobody to answer") {
  const auto reason = [](const std::string& workload) -> std::string {
    try {
      decode(workload);
    } catch (const UnreadableBatch& unreadable) {
      return unreadable.what();
    }
    return "readable";
  };

  SUBCASE("not JSON") {
    CHECK(reason("") ==
          "The batch cannot be read: at byte 0 it stops being JSON in UTF-8 (incomplete JSON).");
    CHECK(reason("hello") ==
          "The batch cannot be read: at byte 0 it stops being JSON in UTF-8 (syntax error).");
    CHECK(reason("{\"tasks\": {\"a") ==
          "The batch cannot be read: at byte 13 it stops being JSON in UTF-8 (incomplete JSON).");
    CHECK(reason("{\"tasks\" {}}").find("at byte 9 ") != std::string::npos);
    CHECK(reason("\xef\xbb\xbf{}") ==
          "The batch cannot be read: at byte 0 it stops being JSON in UTF-8 (syntax error).");
  }
  SUBCASE("not an object") {
    for (const char* workload : {"[]", "[{\"tasks\": {\"a\": {}}}]", "7", "\"tasks\"", "null", "true"}) {
      CAPTURE(workload);
      CHECK(reason(workload) == "The batch cannot be read: it must be an object with \"tasks\".");
    }
  }
  SUBCASE("no tasks, or an empty map") {
    CHECK(reason("{}") == "The batch cannot be read: it has no \"tasks\".");
    CHECK(reason(R"({"task": {"a": {}}, "x": {"tasks": {"a": {}}}})") ==
          "The batch cannot be read: it has no \"tasks\".");
    CHECK(reason(R"({"tasks": {}})") == "The batch cannot be read: its \"tasks\" is empty.");
  }
  SUBCASE("tasks that is not an object") {
    CHECK(reason(R"({"tasks": [{"uuid": "a"}]})") ==
          "The batch cannot be read: \"tasks\" must be an object and is an array.");
    CHECK(reason(R"({"tasks": null})") ==
          "The batch cannot be read: \"tasks\" must be an object and is null.");
    CHECK(reason(R"({"tasks": "a"})") ==
          "The batch cannot be read: \"tasks\" must be an object and is a string.");
  }
}

TEST_CASE("decode_batch: a batch with a mistake is answered for every id in it, as failed") {
  const auto all_fail = [](const std::string& workload, const std::vector<std::string>& expected) {
    const Batch batch = decode(workload);
    CHECK(ids(batch) == expected);
    for (const Task& task : batch.tasks) CHECK(failure(task) == failure(batch.tasks[0]));
    return failure(batch.tasks[0]);
  };
  const std::string one_two = R"({"tasks": {"1": {"arguments": "a"}, "2": {"arguments": "b"})";

  SUBCASE("a text that is cut off") {
    CHECK(all_fail(one_two, {"1", "2"}) == "The batch cannot be read: at byte " +
                                               std::to_string(one_two.size()) +
                                               " it stops being JSON in UTF-8 (incomplete JSON).\n");
    // Wherever it is cut, no task that was read is run.
    const std::string whole = one_two + "}}";
    for (std::size_t length = std::string_view(R"({"tasks": {"1":)").size(); length < whole.size();
         ++length) {
      CAPTURE(length);
      for (const Task& task : decode(whole.substr(0, length)).tasks) CHECK(failure(task) != "not failed");
    }
  }
  SUBCASE("a mistake in the grammar, and text after the end") {
    CHECK(all_fail(one_two + ",}}", {"1", "2"}).find("at byte " + std::to_string(one_two.size() + 1) + " ") !=
          std::string::npos);
    CHECK(all_fail(one_two + "}} {}", {"1", "2"}).find("(extra data)") != std::string::npos);
  }
  SUBCASE("bytes that are not UTF-8 do not hide the ids behind them") {
    const std::string told = all_fail(
        "{\"tasks\": {\"1\": {\"arguments\": \"caf\xe9\"}, \"2\": {\"arguments\": \"b\"}}}", {"1", "2"});
    CHECK(told.find("The batch cannot be read: at byte 34 ") == 0);
  }
  SUBCASE("half a surrogate pair does not hide the ids behind it") {
    for (const char* half :
         {R"(\ud800)", R"(\udce9)", R"(\ud83dx)", R"(\ud83d\u0041)", R"(\uD83D\\ude00)", R"(\\\udfff)"}) {
      CAPTURE(half);
      all_fail(std::string(R"({"tasks": {"1": {"arguments": "a )") + half +
                   R"(\ud83d\ude00"}, "2": {"arguments": "\ud83d\ude00"}}})",
               {"1", "2"});
    }
  }
  SUBCASE("nesting that is too deep does not hide the ids behind it") {
    const auto nested = [](std::size_t levels) {
      return R"({"tasks": {"1": {"arguments": "a", "x": )" + std::string(levels, '[') +
             std::string(levels, ']') + R"(}, "2": {"arguments": "b"}}})";
    };
    CHECK(failure(decode(nested(61)).tasks[0]) == "not failed");
    CHECK(all_fail(nested(62), {"1", "2"}).find("it is nested more than 64 levels deep.\n") !=
          std::string::npos);
    CHECK(all_fail(nested(500), {"1", "2"}).find("it is nested more than 64 levels deep.\n") !=
          std::string::npos);
    CHECK(all_fail(nested(1000000), {"1"}).find("it is nested more than 64 levels deep.\n") !=
          std::string::npos);
  }
  SUBCASE("tasks that stands twice") {
    const std::string told = "The batch cannot be read: its \"tasks\" stands twice.\n";
    CHECK(
        all_fail(
            R"({"tasks": {"1": {"arguments": ""}}, "tasks": {"2": {"arguments": ""}, "1": {"arguments": ""}}})",
            {"1", "2"}) == told);
    CHECK(all_fail(R"({"tasks": 5, "tasks": {"1": {"arguments": ""}}})", {"1"}) == told);
  }
}
