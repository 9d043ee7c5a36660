#include "common/text.hpp"

#include <cstdint>
#include <cstring>

namespace quire {

namespace {

struct Part {
  std::size_t length;
  bool valid;
};

// The sequence at the front of the bytes: a character, or as much of one as is there (at least one byte), as
// table 3-7 of the Unicode standard has them. REQUIRES: !bytes.empty()
Part first_part(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned char lead = at(0);
  if (lead < 0x80) return {1, true};
  if (lead < 0xC2 || lead > 0xF4) return {1, false};
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;

  // The second byte is what rules out overlong forms, surrogates and what is above U+10FFFF.
  unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  for (std::size_t i = 1; i < length; ++i) {
    if (i == bytes.size() || at(i) < low || at(i) > high) return {i, false};
    low = 0x80;
    high = 0xBF;
  }
  return {length, true};
}

// How many of the bytes, from the front, are UTF-8. Eight bytes of ASCII are taken at once.
std::size_t valid_prefix(std::string_view bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    std::uint64_t eight = 0;
    if (bytes.size() - done >= sizeof eight) {
      std::memcpy(&eight, bytes.data() + done, sizeof eight);
      if ((eight & 0x8080808080808080) == 0) {
        done += sizeof eight;
        continue;
      }
    }
    const Part part = first_part(bytes.substr(done));
    if (!part.valid) break;
    done += part.length;
  }
  return done;
}

}  // namespace

bool is_utf8(std::string_view bytes) { return valid_prefix(bytes) == bytes.size(); }

std::string to_utf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (true) {
    const std::size_t valid = valid_prefix(bytes);
    text.append(bytes.substr(0, valid));
    bytes.remove_prefix(valid);
    if (bytes.empty()) return text;
    text.append("\uFFFD");
    bytes.remove_prefix(first_part(bytes).length);
  }
}

std::string excerpt(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return std::string(text);
  const auto continues = [&] { return (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80; };
  while (bytes > 0 && continues()) --bytes;
  return std::string(text.substr(0, bytes)).append("…");
}

}  // namespace quire
