#include "worker/work_estimate.hpp"

#include <doctest/doctest.h>

namespace quire {

TEST_CASE("work estimate") {
  using namespace std::chrono_literals;
  WorkEstimate estimate;

  SUBCASE("as long as nothing is known a batch is divided as far as it may be") {
    CHECK(estimate.worthwhile_parts(128, 8, true) == 8);
    CHECK(estimate.worthwhile_parts(128, 8, false) == 8);
  }
  SUBCASE("one job alone tells nothing") {
    for (int i = 0; i < 50; ++i) estimate.observe(2ms, 0ms, 1);
    CHECK(estimate.worthwhile_parts(128, 8, true) == 8);
  }
  SUBCASE("quick jobs are not worth a second process") {
    for (int i = 0; i < 50; ++i) estimate.observe(1.2ms, 0.1ms, 64);
    CHECK(estimate.worthwhile_parts(128, 8, true) == 1);
    CHECK(estimate.worthwhile_parts(128, 8, false) == 1);
  }
  SUBCASE("a process is worth half as much where nobody else waits for it") {
    for (int i = 0; i < 50; ++i) estimate.observe(4ms, 1.97ms, 64);  // two of a process, two of jobs
    CHECK(estimate.worthwhile_parts(128, 8, true) == 1);
    CHECK(estimate.worthwhile_parts(128, 8, false) == 2);
  }
  SUBCASE("a handful of jobs is divided all the same") {
    for (int i = 0; i < 50; ++i) estimate.observe(1.2ms, 0.1ms, 64);
    CHECK(estimate.worthwhile_parts(127, 8, true) == 8);
    CHECK(estimate.worthwhile_parts(2, 2, true) == 2);
  }
  SUBCASE("long jobs are worth as many as there may be, from the first subset on") {
    estimate.observe(641ms, 630ms, 64);
    CHECK(estimate.worthwhile_parts(128, 8, true) == 8);
  }
  SUBCASE("nor is a script taken for a quick one that tells of its jobs when all are done") {
    for (int i = 0; i < 50; ++i) estimate.observe(640ms, 1ms, 64);
    CHECK(estimate.worthwhile_parts(128, 8, true) == 8);
  }
  SUBCASE("what is learned follows a script that has become slow") {
    for (int i = 0; i < 50; ++i) estimate.observe(1ms, 0.1ms, 64);
    for (int i = 0; i < 50; ++i) estimate.observe(640ms, 630ms, 64);
    CHECK(estimate.worthwhile_parts(128, 8, true) == 8);
  }
}

}  // namespace quire
