#include "worker/split.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

using namespace quire;

TEST_CASE("split") {
  std::vector<int> items(300);
  std::iota(items.begin(), items.end(), 0);

  SUBCASE("for any number of items and parts the subsets are what they must be") {
    for (std::size_t count = 0; count <= items.size(); ++count) {
      const std::span<int> all(items.data(), count);
      for (std::size_t parts = 1; parts <= 40; ++parts) {
        const auto subsets = split(all, parts);
        CAPTURE(count);
        CAPTURE(parts);
        bool one_after_the_other = true;
        bool sizes_differ_by_one_at_most = true;
        bool none_is_empty = true;
        const int* next = all.data();
        for (const auto& subset : subsets) {
          one_after_the_other = one_after_the_other && subset.data() == next;
          none_is_empty = none_is_empty && !subset.empty();
          next = subset.data() + subset.size();
          const std::size_t fair = count / subsets.size();
          sizes_differ_by_one_at_most =
              sizes_differ_by_one_at_most && (subset.size() == fair || subset.size() == fair + 1);
        }
        REQUIRE(one_after_the_other);
        REQUIRE(next == all.data() + count);
        REQUIRE(none_is_empty);
        REQUIRE(sizes_differ_by_one_at_most);
        REQUIRE(subsets.size() == std::min(count, parts));
      }
    }
  }
  // A splitter that says "approximately equally-sized" made seven ones and an eight of this.
  SUBCASE("fifteen items over eight parts are seven twos and a one") {
    const auto subsets = split(std::span<int>(items.data(), 15), 8);
    REQUIRE(subsets.size() == 8);
    CHECK(std::count_if(subsets.begin(), subsets.end(),
                        [](const auto& subset) { return subset.size() == 2; }) == 7);
    CHECK(std::count_if(subsets.begin(), subsets.end(),
                        [](const auto& subset) { return subset.size() == 1; }) == 1);
  }
  // Three jobs over four processes once ran one after another.
  SUBCASE("fewer items than parts are one subset each") {
    CHECK(split(std::span<int>(items.data(), 3), 4).size() == 3);
  }
  SUBCASE("the items themselves are handed on, not copies") {
    split(std::span<int>(items), 2)[1][0] = -1;
    CHECK(items[150] == -1);
  }
}
