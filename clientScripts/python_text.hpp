// Text as Python shows it: what repr() gives for a string, a number, an exception.
#pragma once

#include <string>
#include <string_view>

namespace quire {

// The code points of a file's name. A byte 0xNN that is not UTF-8 becomes the lone surrogate U+DCNN, as with
// Python's os.fsdecode().
std::u32string code_points(std::string_view bytes);

// The UTF-8 of the text. Throws std::invalid_argument, with a sentence, at a lone surrogate, which has none.
std::string encode_utf8(std::u32string_view text);

// Quoted, with escapes for what is not printable: 'it is', "it's", 'a\n', '\udcff'. The result is UTF-8.
// Printable is what Unicode 14 calls so, which is that of the Python of Debian 12.
std::string display(std::u32string_view text);
std::string display(std::string_view bytes);

// The shortest form that reads back as the same number: 1.0, 0.1, 1e+16, inf, nan.
std::string display(double number);

// The exception of a system call: FileNotFoundError(2, 'No such file or directory').
std::string display_system_error(int error);

}  // namespace quire
