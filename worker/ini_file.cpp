#include "worker/ini_file.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string_view>
#include <system_error>

#include <boost/property_tree/ini_parser.hpp>
#include <boost/property_tree/ptree.hpp>

#include "worker/settings.hpp"

namespace quire {
namespace {

constexpr std::string_view white_space = " \t\r\v\f";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(white_space);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(white_space) - begin + 1);
}

std::string read_whole_file(const std::string& path) {
  errno = 0;
  std::ifstream stream(path);
  std::string text;
  for (std::string line; std::getline(stream, line);) text += line + '\n';
  if (!stream.eof()) {  // never opened, or a folder
    throw ConfigurationError(path + ": cannot be read: " + std::generic_category().message(errno) + ".");
  }
  return text;
}

// PropertyTree keeps neither the lines nor the empty sections, and takes some lines for something else than
// Python does. This walk along the lines notes the former and refuses the latter; the rest is PropertyTree's.
class LineScan {
 public:
  explicit LineScan(IniFile& file) : file_(file) {}

  void scan(const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      ++number_;
      const std::string_view content = trimmed(line);
      if (content.empty() || content[0] == ';' || content[0] == '#') continue;
      refuse_control_characters(content);
      if (content[0] == '[') {
        scan_section(content);
      } else {
        scan_key(content, line.find_first_not_of(white_space));
      }
    }
  }

  // The lines on which the keys stand, in their order.
  const std::vector<std::size_t>& key_lines() const { return key_lines_; }

 private:
  [[noreturn]] void refuse(const std::string& sentence) const {
    throw ConfigurationError(file_.at(number_) + ": " + sentence);
  }

  // Above all a carriage return within a line, which Python takes for the end of one.
  void refuse_control_characters(std::string_view content) const {
    const auto control = [](unsigned char byte) { return (byte < 0x20 && byte != '\t') || byte == 0x7F; };
    if (std::any_of(content.begin(), content.end(), control)) {
      refuse("the line holds a control character; save the file as plain text.");
    }
  }

  void scan_section(std::string_view content) {
    const std::size_t end = content.find(']');
    if (end == content.npos) refuse("the section's closing ] is missing.");
    if (end + 1 != content.size()) {
      refuse("something follows the section's closing ]; give it a line of its own.");
    }
    const std::string name(trimmed(content.substr(1, end - 1)));
    if (name == "DEFAULT") refuse("[DEFAULT] is not supported; write its keys where they belong.");
    for (const IniSection& other : file_.sections) {
      if (other.name == name) {
        refuse("section [" + name + "] stands already on line " + std::to_string(other.line) +
               "; join the two.");
      }
    }
    file_.sections.push_back({name, number_});
    keys_.clear();
    indentation_.reset();
  }

  void scan_key(std::string_view content, std::size_t indentation) {
    if (indentation_ && indentation > *indentation_) {
      refuse(
          "the line is indented, and values that go on in a second line are not supported; "
          "write each KEY = VALUE on one line, without spaces before it.");
    }
    const std::size_t delimiter = content.find_first_of("=:");
    if (delimiter == content.npos || delimiter == 0 || content[delimiter] == ':') {
      refuse("expected KEY = VALUE, a [section] or a comment.");
    }
    const std::string key(trimmed(content.substr(0, delimiter)));
    if (file_.sections.empty()) refuse("\"" + key + "\" stands before the first [section].");
    const auto [other, is_new] = keys_.emplace(key, number_);
    if (!is_new) {
      refuse("\"" + key + "\" stands already on line " + std::to_string(other->second) +
             "; remove one of the two.");
    }
    indentation_ = indentation;
    key_lines_.push_back(number_);
  }

  IniFile& file_;
  std::size_t number_ = 0;
  std::map<std::string, std::size_t> keys_;  // of this section, and their lines
  std::optional<std::size_t> indentation_;   // of the key above in this section
  std::vector<std::size_t> key_lines_;
};

}  // namespace

IniFile read_ini_file(const std::string& path) {
  IniFile file{path, {}, {}};
  const std::string text = read_whole_file(path);
  LineScan scan(file);
  scan.scan(text);

  // Children are walked, never looked up by path: the dots in the names would be taken for levels.
  boost::property_tree::ptree tree;
  try {
    std::istringstream stream(text);
    boost::property_tree::read_ini(stream, tree);
  } catch (const boost::property_tree::ini_parser_error& error) {
    throw ConfigurationError(file.at(error.line()) + ": " + error.message() + ".");
  }
  auto line = scan.key_lines().begin();
  for (const auto& [section, keys] : tree) {
    for (const auto& [key, value] : keys) file.entries.push_back({section, key, value.data(), *line++});
  }
  return file;
}

}  // namespace quire
