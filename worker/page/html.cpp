#include "worker/page/html.hpp"

#include "common/text.hpp"

namespace quire::page {

Html& Html::operator<<(std::string_view text) {
  for (const char c : to_utf8(text)) {
    switch (c) {
      case '&':
        text_ += "&amp;";
        break;
      case '<':
        text_ += "&lt;";
        break;
      case '>':
        text_ += "&gt;";
        break;
      case '"':
        text_ += "&quot;";
        break;
      case '\'':
        text_ += "&#39;";
        break;
      case '\t':
      case '\n':
      case '\r':
        text_ += c;
        break;
      case '\x7f':
        text_ += "\u2421";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          text_ += "\xe2\x90";  // U+2400 and so on: the pictures stand in the order of the characters
          text_ += static_cast<char>(0x80 + c);
        } else {
          text_ += c;
        }
    }
  }
  return *this;
}

}  // namespace quire::page
