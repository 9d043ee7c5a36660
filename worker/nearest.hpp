// "Did you mean …?": the known word that a mistyped one was probably meant to be.
#pragma once

#include <algorithm>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace quire {

// In how many places two words differ: letters put in, left out or exchanged.
inline std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);  // distances of the part of a seen so far to each head of b
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = std::exchange(row[j + 1], std::min({row[j] + 1, row[j + 1] + 1, replaced}));
    }
  }
  return row.back();
}

// The word of `known` nearest to `word`; empty when none is near enough to be worth a question: a third of
// its letters differ at most, at least one may; or it goes on where this one, of three letters or more, ends
// (checksum, checksum_v0.0).
template <typename Words>
std::string nearest(std::string_view word, const Words& known) {
  std::string best;
  const std::size_t most = std::max<std::size_t>(1, word.size() / 3);
  std::size_t best_distance = most + 1;
  for (const std::string& candidate : known) {
    std::size_t distance = edit_distance(word, candidate);
    if (word.size() >= 3 && candidate.starts_with(word)) distance = std::min(distance, most);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

// " Did you mean NAME?", with whatever stands around the name, or nothing.
template <typename Words>
std::string did_you_mean(std::string_view word, const Words& known, const std::string& before = "",
                         const std::string& after = "") {
  const std::string best = nearest(word, known);
  return best.empty() ? "" : " Did you mean " + before + best + after + "?";
}

}  // namespace quire
