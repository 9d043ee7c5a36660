// HTML that cannot be built with text in it that is not escaped.
//
//   Html html;
//   html << "<td title=\""_html << job.arguments << "\">"_html << job.output << "</td>"_html;
//
// Markup can only be made of literals in the source; everything else is text, and is escaped so that it is
// text between tags and in quoted attributes alike.
#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>

namespace quire::page {

class Markup {
 public:
  constexpr std::string_view text() const { return text_; }

 private:
  constexpr explicit Markup(const char* text, std::size_t size) : text_(text, size) {}
  friend constexpr Markup operator""_html(const char* text, std::size_t size);
  std::string_view text_;
};

constexpr Markup operator""_html(const char* text, std::size_t size) { return Markup(text, size); }

class Html {
 public:
  Html& operator<<(Markup markup) {
    text_ += markup.text();
    return *this;
  }
  Html& operator<<(const Html& other) {
    text_ += other.text_;
    return *this;
  }
  // Bytes of any kind: what is not UTF-8 becomes U+FFFD, and a control character the picture of itself (␛).
  Html& operator<<(std::string_view text);
  Html& operator<<(std::integral auto number) {
    text_ += std::to_string(number);
    return *this;
  }
  Html& operator<<(bool) = delete;
  Html& operator<<(char) = delete;

  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }

 private:
  std::string text_;
};

}  // namespace quire::page
