#include "common/command_line.hpp"

#include <array>
#include <utility>

namespace quire {

namespace {

std::string replace_all(std::string text, std::string_view what, std::string_view by) {
  std::size_t found = text.find(what);
  if (found == std::string::npos) return text;
  std::string replaced;
  replaced.reserve(text.size() + by.size());
  std::size_t begin = 0;
  for (; found != std::string::npos; found = text.find(what, begin)) {
    replaced.append(text, begin, found - begin).append(by);
    begin = found + what.size();
  }
  return replaced.append(text, begin);
}

// All characters with a meaning are ASCII, and no byte of a longer UTF-8 sequence is: bytes will do.
constexpr bool is_white_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// A set of characters, to be looked up in one step: most of a string is plain text.
class CharacterSet {
 public:
  constexpr explicit CharacterSet(std::string_view characters) {
    for (const char c : characters) has_[static_cast<unsigned char>(c)] = true;
  }
  // Where the first of them stands; the length of the text where there is none.
  std::size_t find_in(std::string_view text) const {
    std::size_t at = 0;
    while (at < text.size() && !has_[static_cast<unsigned char>(text[at])]) ++at;
    return at;
  }

 private:
  std::array<bool, 256> has_{};
};

constexpr CharacterSet ends_plain_text(" \t\r\n'\"\\");
constexpr CharacterSet ends_single_quoted("'");
constexpr CharacterSet ends_double_quoted("\"\\");

// Walks over an arguments string, one word after the other.
class Splitter {
 public:
  explicit Splitter(std::string_view rest) : rest_(rest) {}

  // Whether a word is left; stands at its first character then.
  bool find_word() {
    while (!rest_.empty() && is_white_space(rest_.front())) rest_.remove_prefix(1);
    return !rest_.empty();
  }

  // A word ends at white space outside of quotes. It may be empty: that is what a pair of quotes stands for.
  std::string take_word() {
    std::string word;
    while (!rest_.empty() && !is_white_space(rest_.front())) {
      switch (rest_.front()) {
        case '\'':
        case '"':
          take_quoted(word);
          break;
        case '\\':
          take_escaped(word);
          break;
        default:
          take_plain(word);
      }
    }
    return word;
  }

 private:
  void take_plain(std::string& word) { append(word, ends_plain_text.find_in(rest_)); }

  void take_escaped(std::string& word) {
    rest_.remove_prefix(1);
    if (rest_.empty()) throw UnbalancedArguments("No escaped character");
    append(word, 1);
  }

  // Between single quotes everything is itself. Between double quotes a backslash escapes a double quote or a
  // backslash and is itself before anything else.
  void take_quoted(std::string& word) {
    const char quote = rest_.front();
    const CharacterSet& stops = quote == '"' ? ends_double_quoted : ends_single_quoted;
    rest_.remove_prefix(1);
    while (true) {
      const std::size_t stop = stops.find_in(rest_);
      if (stop == rest_.size()) throw UnbalancedArguments("No closing quotation");
      append(word, stop);
      if (rest_.front() == quote) break;
      if (rest_.size() == 1) throw UnbalancedArguments("No escaped character");
      const bool escapes = rest_[1] == '"' || rest_[1] == '\\';
      if (escapes) rest_.remove_prefix(1);
      append(word, escapes ? 1 : 2);
    }
    rest_.remove_prefix(1);
  }

  void append(std::string& word, std::size_t length) {
    word.append(rest_.substr(0, length));
    rest_.remove_prefix(length);
  }

  std::string_view rest_;
};

}  // namespace

std::string replace_placeholders(std::string arguments, const Placeholders& placeholders) {
  const std::pair<std::string_view, const std::string&> in_order[] = {
      {"%sharedPath%", placeholders.shared_path},
      {"%clientScriptsDirectory%", placeholders.client_scripts_directory},
      {"%clientAssetsDirectory%", placeholders.client_assets_directory},
      {"%date%", placeholders.date},
      {"%taskUUID%", placeholders.task_uuid},
      {"%jobCreatedDate%", placeholders.job_created_date},
  };
  if (arguments.find('%') == std::string::npos) return arguments;
  for (const auto& [name, value] : in_order) arguments = replace_all(std::move(arguments), name, value);
  return arguments;
}

std::vector<std::string> split_shell_words(std::string_view arguments) {
  std::vector<std::string> words;
  words.reserve(8);  // most tasks have fewer
  Splitter splitter(arguments);
  while (splitter.find_word()) words.push_back(splitter.take_word());
  return words;
}

std::string drop_backslashes_before_backticks(std::string word) {
  return replace_all(std::move(word), "\\`", "`");
}

std::vector<std::string> parse_arguments(std::string arguments, const Placeholders& placeholders) {
  std::vector<std::string> words =
      split_shell_words(replace_placeholders(std::move(arguments), placeholders));
  for (std::string& word : words) {
    if (word.find('`') != std::string::npos) word = drop_backslashes_before_backticks(std::move(word));
  }
  return words;
}

}  // namespace quire
