// Bytes and text: what a process wrote is bytes, what goes on the wire is strict UTF-8.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace quire {

// Strict: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view bytes);

// The text with U+FFFD for what is not UTF-8: one for each maximal invalid part, as Python's
// bytes.decode("utf-8", "replace") does. Text that is UTF-8 comes back unchanged.
std::string to_utf8(std::string_view bytes);

// The beginning of a text, for a sentence about it: at most so many bytes, cut between two characters, and
// "…" where something was left out.
std::string excerpt(std::string_view text, std::size_t bytes);

}  // namespace quire
