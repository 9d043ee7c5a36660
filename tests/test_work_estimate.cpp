#include "worker/work_estimate.hpp"

#include <doctest/doctest.h>

namespace quire {

TEST_CASE("work estimate") {
  using namespace std::chrono_literals;
  WorkEstimate estimate;

  SUBCASE("as long as nothing is known a batch is divided as far as it may be") {
    CHECK(estimate.worthwhile_parts(128, 8) == 8);
  }
  SUBCASE("quick jobs are not worth a second process") {
    for (int i = 0; i < 50; ++i) estimate.observe(1.2ms, 64);
    CHECK(estimate.worthwhile_parts(128, 8) == 1);
  }
  SUBCASE("a handful of jobs is divided all the same") {
    for (int i = 0; i < 50; ++i) estimate.observe(1.2ms, 64);
    CHECK(estimate.worthwhile_parts(127, 8) == 8);
    CHECK(estimate.worthwhile_parts(2, 2) == 2);
  }
  SUBCASE("long jobs are worth as many as there may be") {
    estimate.observe(2ms, 1);
    for (int i = 0; i < 50; ++i) estimate.observe(640ms, 64);
    CHECK(estimate.worthwhile_parts(128, 8) == 8);
  }
  SUBCASE("what is learned follows a script that has become slow") {
    for (int i = 0; i < 50; ++i) estimate.observe(1ms, 64);
    for (int i = 0; i < 50; ++i) estimate.observe(640ms, 64);
    CHECK(estimate.worthwhile_parts(128, 8) == 8);
  }
}

}  // namespace quire
