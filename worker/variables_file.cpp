#include "worker/variables_file.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "worker/settings.hpp"

namespace quire {
namespace {

constexpr const char* blanks = " \t\r";

class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path) {
    std::ifstream file(path, std::ios::binary);
    std::error_code ignored;
    if (!file || std::filesystem::is_directory(path, ignored))
      throw ConfigurationError(path + ": cannot be read; correct its name, or let this user read it.");
    text_.assign(std::istreambuf_iterator<char>(file), {});
  }

  std::vector<FileVariable> read() {
    std::vector<FileVariable> variables;
    for (;;) {
      skip(" \t\r\n");
      if (at_ == text_.size()) return variables;
      if (text_[at_] == '#' || text_[at_] == ';') {
        skip_line();
        continue;
      }
      FileVariable& variable = variables.emplace_back();
      variable.line = line_;
      variable.name = name();
      variable.value = value();
    }
  }

 private:
  void skip(const char* characters) {
    for (; at_ < text_.size() && std::string_view(characters).find(text_[at_]) != std::string_view::npos;
         ++at_)
      line_ += text_[at_] == '\n';
  }

  void skip_line() { at_ = std::min(text_.find('\n', at_), text_.size()); }

  std::string name() {
    const std::size_t sign = text_.find_first_of("=\n", at_);
    std::string name = text_.substr(at_, sign - at_);
    name.erase(name.find_last_not_of(blanks) + 1);
    if (name.starts_with("export ")) name.erase(0, name.find_first_not_of(blanks, 6));
    if (sign == text_.npos || text_[sign] == '\n' || name.empty()) {
      throw ConfigurationError(path_ + ":" + std::to_string(line_) +
                               ": expected NAME=value, as in a file of variables.");
    }
    at_ = sign + 1;
    return name;
  }

  // To the end of the line. Quotes count where a value, or what follows one in quotes, begins.
  std::string value() {
    std::string value;
    for (;;) {
      skip(blanks);
      if (at_ == text_.size() || text_[at_] == '\n') return value;
      if (text_[at_] == '\'' || text_[at_] == '"') {
        add_quoted(value);
      } else {
        add_plain(value);
        return value;
      }
    }
  }

  void add_quoted(std::string& value) {
    const char quote = text_[at_];
    const std::size_t begin = line_;
    for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
      const bool is_escape = quote == '"' && text_[at_] == '\\' && at_ + 1 < text_.size() &&
                             std::string_view("\"\\`$\n").find(text_[at_ + 1]) != std::string_view::npos;
      if (is_escape) ++at_;
      line_ += text_[at_] == '\n';
      if (!is_escape || text_[at_] != '\n') value += text_[at_];
    }
    if (at_ == text_.size()) {
      throw ConfigurationError(path_ + ":" + std::to_string(begin) +
                               ": the value begins with a quote that is not closed.");
    }
    ++at_;
  }

  void add_plain(std::string& value) {
    std::size_t end = value.size();  // without the white space after it
    for (; at_ < text_.size() && text_[at_] != '\n'; ++at_) {
      const bool is_escape = text_[at_] == '\\' && at_ + 1 < text_.size();
      if (is_escape) ++at_;
      line_ += text_[at_] == '\n';
      if (text_[at_] == '\n') continue;
      value += text_[at_];
      if (is_escape || std::string_view(blanks).find(text_[at_]) == std::string_view::npos)
        end = value.size();
    }
    value.resize(end);
  }

  const std::string path_;
  std::string text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

}  // namespace

std::vector<FileVariable> read_variables_file(const std::string& path) { return Reader(path).read(); }

void load_variables_file(const std::string& path) {
  const bool may_be_missing = path.starts_with('-');
  const std::string name = path.substr(may_be_missing ? 1 : 0);
  std::error_code ignored;
  if (may_be_missing && !std::filesystem::exists(name, ignored)) return;
  for (const FileVariable& variable : read_variables_file(name))
    ::setenv(variable.name.c_str(), variable.value.c_str(), 1);
}

}  // namespace quire
