#include "worker/gearman_client.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>

#include <doctest/doctest.h>

#include "tests/support/answering_worker.hpp"
#include "tests/support/gearmand.hpp"
#include "worker/settings.hpp"

using namespace quire;
using namespace std::chrono_literals;
using test::AnsweringWorker;
using test::Gearmand;

namespace {

std::optional<std::string> echo(const std::string& workload) { return workload; }
std::optional<std::string> fail(const std::string&) { return std::nullopt; }

// The submitter, and what it has handed over.
struct Submission {
  explicit Submission(const std::string& servers)
      : submitter({.servers = parse_job_servers(servers), .connection_limit = 5s},
                  [this](const BatchAnswer& answer) { answers.push_back(answer); }) {}

  void finish(std::chrono::seconds limit = 60s) {
    const auto give_up = std::chrono::steady_clock::now() + limit;
    while (submitter.in_flight() > 0 && std::chrono::steady_clock::now() < give_up) submitter.run_for(100ms);
    REQUIRE(submitter.in_flight() == 0);
  }

  std::vector<BatchAnswer> answers;
  BatchSubmitter submitter;
};

}  // namespace

TEST_CASE("job servers") {
  const auto servers = parse_job_servers("127.0.0.1:4731, archive ,[::1]:4733,");
  REQUIRE(servers.size() == 3);
  CHECK(servers[0].name() == "127.0.0.1:4731");
  CHECK(servers[1].name() == "archive:4730");
  CHECK(servers[2].host == "::1");
  CHECK(servers[2].name() == "[::1]:4733");
  for (const char* bad : {"", " , ", ":4730", "host:", "host:0", "host:65536", "host:47x", "[::1]4730"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(parse_job_servers(bad), ConfigurationError);
  }
}

TEST_CASE("gearman client") {
  Gearmand gearmand;

  SUBCASE("every batch is answered once, with its own reply") {
    const AnsweringWorker worker(gearmand.port(), {{"echo", echo}});
    Submission submission(gearmand.address());
    for (int i = 0; i < 200; ++i)
      submission.submitter.submit("echo", "batch-" + std::to_string(i), std::to_string(i));
    submission.finish();
    CHECK(submission.answers.size() == 200);
    for (const BatchAnswer& answer : submission.answers) {
      CHECK(answer.kind == BatchAnswer::Kind::completed);
      CHECK(answer.unique == "batch-" + answer.reply);
      CHECK(answer.handle.starts_with("H:"));
    }
  }

  SUBCASE("batches can be submitted when others are answered") {
    const AnsweringWorker worker(gearmand.port(), {{"echo", echo}});
    int next = 0;
    int answered = 0;
    BatchSubmitter* submitter_address = nullptr;
    const auto submit_next = [&] { submitter_address->submit("echo", std::to_string(next++), "x"); };
    BatchSubmitter submitter({.servers = parse_job_servers(gearmand.address())},
                             [&](const BatchAnswer& answer) {
                               CHECK(answer.kind == BatchAnswer::Kind::completed);
                               ++answered;
                               if (next < 300) submit_next();
                             });
    submitter_address = &submitter;
    for (int i = 0; i < 4; ++i) submit_next();
    for (int i = 0; i < 1000 && submitter.in_flight() > 0; ++i) submitter.run_for(100ms);
    CHECK(answered == 300);
  }

  SUBCASE("a failed job is told from the others, which go on") {
    const AnsweringWorker worker(gearmand.port(), {{"echo", echo}, {"fail", fail}});
    Submission submission(gearmand.address());
    submission.submitter.submit("echo", "1", "first");
    submission.submitter.submit("fail", "2", "second");
    submission.submitter.submit("echo", "3", "third");
    submission.finish();
    REQUIRE(submission.answers.size() == 3);
    for (const BatchAnswer& answer : submission.answers) {
      CHECK((answer.kind == BatchAnswer::Kind::failed) == (answer.unique == "2"));
      CHECK(answer.reason.empty() == (answer.unique != "2"));
    }
  }

  SUBCASE("large workloads and replies do not crawl") {
    const AnsweringWorker worker(gearmand.port(),
                                 {{"large", [](const std::string& workload) {
                                     return std::optional(workload + std::string(8'000'000, 'y'));
                                   }}});
    Submission submission(gearmand.address());
    const auto begin = std::chrono::steady_clock::now();
    for (const char* unique : {"1", "2", "3"}) {
      submission.submitter.submit("large", unique, std::string(4'000'000, 'x'));
    }
    submission.finish();
    // 48 MB: one second or less, and half a minute with libgearman's own buffers.
    CHECK(std::chrono::steady_clock::now() - begin < 12s);
    REQUIRE(submission.answers.size() == 3);
    for (const BatchAnswer& answer : submission.answers) CHECK(answer.reply.size() == 12'000'000);
  }

  SUBCASE("when the job server dies, what was sent is lost and the next batch finds nobody") {
    Submission submission(gearmand.address());
    submission.submitter.submit("nobody", "1", "x");
    submission.submitter.submit("nobody", "2", "x");
    submission.submitter.run_for(200ms);
    CHECK(submission.answers.empty());
    gearmand.kill();
    submission.finish();
    REQUIRE(submission.answers.size() == 2);
    for (const BatchAnswer& answer : submission.answers) {
      CHECK(answer.kind == BatchAnswer::Kind::lost);
      CHECK(!answer.handle.empty());
    }
    submission.submitter.submit("nobody", "3", "x");
    CHECK_THROWS_AS(submission.submitter.run_for(1s), JobServerUnreachable);
    CHECK(submission.submitter.in_flight() == 1);
  }

  SUBCASE("the next server of the list is taken when the first is away") {
    const AnsweringWorker worker(gearmand.port(), {{"echo", echo}});
    Submission submission("127.0.0.1:" + std::to_string(test::free_port()) + "," + gearmand.address());
    submission.submitter.submit("echo", "1", "x");
    submission.finish();
    CHECK(submission.answers.at(0).kind == BatchAnswer::Kind::completed);
  }

  SUBCASE("the variable GEARMAN_SERVERS adds no server") {
    ::setenv("GEARMAN_SERVERS", gearmand.address().c_str(), 1);
    Submission submission("127.0.0.1:" + std::to_string(test::free_port()));
    submission.submitter.submit("echo", "1", "x");
    CHECK_THROWS_AS(submission.submitter.run_for(1s), JobServerUnreachable);
    ::unsetenv("GEARMAN_SERVERS");
  }

  SUBCASE("what Gearman would mangle is refused") {
    Submission submission(gearmand.address());
    BatchSubmitter& submitter = submission.submitter;
    CHECK_THROWS_AS(submitter.submit("", "1", "x"), std::invalid_argument);
    CHECK_THROWS_AS(submitter.submit(std::string(513, 'f'), "1", "x"), std::invalid_argument);
    CHECK_THROWS_AS(submitter.submit("f", "", "x"), std::invalid_argument);
    CHECK_THROWS_AS(submitter.submit("f", std::string(65, 'u'), "x"), std::invalid_argument);
    CHECK_THROWS_AS(submitter.submit("f", "1", ""), std::invalid_argument);
    submitter.submit("f", "1", "x");
    CHECK_THROWS_AS(submitter.submit("f", "1", "x"), std::invalid_argument);
  }
}
