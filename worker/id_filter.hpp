// Which hashes have never been seen: a Bloom filter whose bits of one hash lie in one line of the cache.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace quire {

class IdFilter {
 public:
  // With 16 bits for each hash about one in 500 that is new is taken for one that has been seen.
  // REQUIRES: bytes is a power of two, at least 64
  explicit IdFilter(std::size_t bytes) : lines_(bytes / sizeof(Line)) {}

  std::size_t bytes() const { return lines_.size() * sizeof(Line); }

  void add(std::uint64_t hash) {
    Line& line = line_of(hash);
    for (int i = 0; i < bits_of_a_hash; ++i) line[word(hash, i)] |= bit(hash, i);
  }

  // False: it was never added. True: it probably was.
  bool may_have(std::uint64_t hash) {
    const Line& line = line_of(hash);
    for (int i = 0; i < bits_of_a_hash; ++i) {
      if ((line[word(hash, i)] & bit(hash, i)) == 0) return false;
    }
    return true;
  }

 private:
  struct alignas(64) Line : std::array<std::uint64_t, 8> {};

  // Nine bits of the hash choose one of 512; the line is chosen by a mixture, so that the two do not depend
  // on each other.
  static constexpr int bits_of_a_hash = 6;
  static std::size_t word(std::uint64_t hash, int i) { return (hash >> (9 * i + 6)) & 7; }
  static std::uint64_t bit(std::uint64_t hash, int i) { return std::uint64_t{1} << ((hash >> (9 * i)) & 63); }
  Line& line_of(std::uint64_t hash) {
    return lines_[((hash * 0x9E3779B97F4A7C15) >> 24) & (lines_.size() - 1)];
  }

  std::vector<Line> lines_;
};

}  // namespace quire
