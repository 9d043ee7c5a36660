// From the arguments string of a task to the words of a job's argument list.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace quire {

// What the placeholders of an arguments string stand for. Values are put in as they are: not quoted, not
// escaped.
struct Placeholders {
  std::string shared_path;               // %sharedPath%
  std::string client_scripts_directory;  // %clientScriptsDirectory%
  std::string client_assets_directory;   // %clientAssetsDirectory%
  std::string date;                      // %date%: now, ISO 8601, UTC, +00:00
  std::string task_uuid;                 // %taskUUID%
  std::string job_created_date;          // %jobCreatedDate%: createdDate with the T as a space
};

// The arguments string cannot be split; what() is Python's sentence ("No closing quotation").
struct UnbalancedArguments : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

// Replaces the placeholders, as plain text, one after the other in the order above.
std::string replace_placeholders(std::string arguments, const Placeholders& placeholders);

// Splits exactly as Python's shlex.split(s): POSIX rules, comments off, white space " \t\r\n".
// Throws UnbalancedArguments.
std::vector<std::string> split_shell_words(std::string_view arguments);

// Drops each backslash that stands immediately before a backtick.
std::string drop_backslashes_before_backticks(std::string word);

// The three steps in their order: the job's arguments, without the function's name.
// Throws UnbalancedArguments.
std::vector<std::string> parse_arguments(std::string arguments, const Placeholders& placeholders);

}  // namespace quire
