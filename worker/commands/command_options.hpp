// The options of one command: its own, --config and --help, and every setting of the worker.
//
//   CommandOptions options({.usage = "quire try [OPTIONS] MODULE [ARGUMENT…]", .description = "…", .example =
//   "…"}); options.own().add_options()("json", po::bool_switch(), "one line of JSON"); if
//   (!options.parse(arguments, CommandOptions::Words::end_options)) return exit_ok;  // --help was printed
//   const Settings settings = options.settings();
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/value_semantic.hpp>
#include <boost/program_options/variables_map.hpp>

#include "worker/settings.hpp"

namespace quire {

class CommandOptions {
 public:
  struct Text {
    std::string usage;        // one line
    std::string description;  // what the command does, a few lines
    std::string example;      // one or more command lines that work
    // Settings that --help tells of, besides record and state_directory: those that matter here. All others
    // may be given as well.
    std::vector<std::string> settings = {};
  };

  // What words that are no options mean: they may stand among the options, or the first one ends the options
  // and all that follows is the command's own ("quire try MODULE -x" hands -x on).
  enum class Words { among_options, end_options };

  explicit CommandOptions(Text text);

  // The command's own options; add to it before parse(). One with the name of a setting takes its place: the
  // setting then cannot be given on this command's command line.
  boost::program_options::options_description& own() { return own_; }

  // Reads the arguments (without "quire" and the command's name). Prints the help, in the form that was asked
  // for (help.hpp), and returns false where it was. Puts the variables of --environment-file into the
  // environment. Throws UsageError, ConfigurationError.
  bool parse(const std::vector<std::string>& arguments, Words words);

  const boost::program_options::variables_map& values() const { return values_; }
  const std::vector<std::string>& words() const { return words_; }

  // Defaults, the files of other programs that the rest names, file (--config, else QUIRE_CONFIG, else
  // /etc/quire/quire.conf where it exists), environment, command line; completed. Throws ConfigurationError.
  // REQUIRES: parse() returned true
  Settings settings() const;

  // The same, not completed: what was said and nothing else.
  Settings stated_settings() const;

  // The configuration file that is read; empty: none.
  std::string file() const;

  // --config and the settings of the command line, each after a space, as a shell reads them: " --config
  // /etc/my.conf".
  std::string site_options() const;

  // A command for the user to call next, about the same site (suggestion.hpp).
  std::string suggested(std::string_view command, std::string_view words = {}) const;

 private:
  void print_help(const std::string& form) const;
  void apply_to(Settings& settings) const;

  Text text_;
  boost::program_options::options_description own_;
  boost::program_options::variables_map values_;
  std::vector<std::string> words_;
};

}  // namespace quire
