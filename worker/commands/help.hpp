// What a command says of itself, in the forms that it can be asked for: --help for people, --help=man for the
// manual, --help=words for the shells' completion. All of them come from the one description that the command
// has.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace quire {

struct Help {
  struct Option {
    std::string name;                // --file
    std::string short_name = {};     // -f, or empty
    std::string value_name = {};     // FILE; empty: it takes no value; yes|no: one of these
    std::string default_value = {};  // empty: none
    std::string documentation = {};  // one sentence without its full stop
    bool is_setting = false;         // also of the configuration file: quire.conf(5) tells of it
  };
  // A word that chooses what to do, and is followed by options of its own.
  struct Part {
    std::string name;
    std::string summary;
  };

  std::string usage;        // one line, which begins with the command's name: quire scripts list [OPTIONS]
  std::string description;  // its first sentence is the summary
  std::string example;      // lines
  std::vector<Option> options = {};
  std::vector<Part> parts = {};

  // The words that call it: "quire scripts list".
  std::string name() const;
};

enum class HelpForm { text, man, words };

// Throws UsageError unless it is text, man or words.
HelpForm help_form(const std::string& name);

// The form that the word asks for: --help, -h, --help=man; nothing for any other word. Throws UsageError.
std::optional<HelpForm> help_form_of_word(std::string_view word);

// A command that has parts and no options: its help in any form.
std::string help_of_parts(const Help& help, HelpForm form);

// A page of the manual, section 1, for man(1).
std::string man_page(const Help& help);

// The page quire.conf(5): every setting.
std::string configuration_man_page();

// What may stand on the command line, a line each, with tabs between the fields:
//
//   part    list      every function of the module table and the script behind it
//   option  --config  FILE  configuration file
//   word    FUNCTION|MODULE
std::string completion_words(const Help& help);

}  // namespace quire
