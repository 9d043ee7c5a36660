// Jobs into subsets.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace quire {

// Deals the items, in their order, into at most `parts` subsets that differ by one item at most; none is
// empty. REQUIRES: parts > 0
template <typename Item>
std::vector<std::span<Item>> split(std::span<Item> items, std::size_t parts) {
  const std::size_t count = std::min(parts, items.size());
  std::vector<std::span<Item>> subsets;
  subsets.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t begin = items.size() * i / count;
    const std::size_t end = items.size() * (i + 1) / count;
    subsets.push_back(items.subspan(begin, end - begin));
  }
  return subsets;
}

}  // namespace quire
