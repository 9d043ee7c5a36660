// What stands before every function on a job server that several sites share, so that no worker takes another
// site's work. Only what speaks to the job server knows it: everything else has the function's own name.
//
//   const FunctionPrefix prefix("site1-");
//   prefix.on_server("hello")          // "site1-hello"
//   prefix.function_of("site1-hello")  // "hello"
//   prefix.function_of("site2-hello")  // nothing: another site's
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace quire {

class FunctionPrefix {
 public:
  FunctionPrefix() = default;  // none: names on the job server are the functions' own
  explicit FunctionPrefix(std::string text) : text_(std::move(text)) {}

  const std::string& text() const { return text_; }

  // What the job server calls a function of ours.
  std::string on_server(std::string_view function) const { return text_ + std::string(function); }

  // The function that a name on the job server stands for; nothing where it is another site's.
  std::optional<std::string> function_of(std::string_view name) const {
    if (!name.starts_with(text_)) return std::nullopt;
    return std::string(name.substr(text_.size()));
  }

 private:
  std::string text_;
};

}  // namespace quire
