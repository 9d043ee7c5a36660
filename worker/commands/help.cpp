#include "worker/commands/help.hpp"

#include <algorithm>
#include <cctype>
#include <sstream>

#include <boost/algorithm/string/case_conv.hpp>
#include <boost/algorithm/string/replace.hpp>

#include "worker/commands/command.hpp"
#include "worker/settings.hpp"

namespace quire {
namespace {

std::vector<std::string> split_words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

bool is_capital(char c) { return c >= 'A' && c <= 'Z'; }

// ---- roff ----

// Text as roff shows it: a dash that may be copied to a command line, no request at a line's beginning.
std::string roff(std::string text) {
  boost::algorithm::replace_all(text, "\\", "\\e");
  boost::algorithm::replace_all(text, "-", "\\-");
  boost::algorithm::replace_all(text, "~", "\\(ti");
  boost::algorithm::replace_all(text, "^", "\\(ha");
  boost::algorithm::replace_all(text, "`", "\\(ga");
  boost::algorithm::replace_all(text, "'", "\\(aq");
  if (text.starts_with('.')) text.insert(0, "\\&");
  return text;
}

// Sentences on lines of their own, as roff wants them to set the space between them; the author's lines go.
std::string paragraph(const std::string& text) {
  std::string line;
  std::string all;
  for (const std::string& word : split_words(text)) {
    line += (line.empty() ? "" : " ") + word;
    if (!word.ends_with('.') && !word.ends_with(':')) continue;
    all += roff(line) + "\n";
    line.clear();
  }
  return line.empty() ? all : all + roff(line) + "\n";
}

std::string header(const std::string& page, const char* section, const char* title) {
  return ".TH " + boost::algorithm::to_upper_copy(roff(page)) + " " + section +
         " \"" QUIRE_DATE "\" \"quire " QUIRE_VERSION "\" \"" + title + "\"\n";
}

std::string item(const std::string& term, const std::string& text) {
  return ".TP\n" + term + "\n" + paragraph(text);
}

std::string bold(const std::string& text) { return "\\fB" + roff(text) + "\\fR"; }
std::string italic(const std::string& text) { return "\\fI" + roff(text) + "\\fR"; }

std::string sentence(const std::string& documentation, const std::string& default_value) {
  std::string text = documentation;
  if (!text.empty()) text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  text += ".";
  if (!default_value.empty()) text += " Default: " + default_value;
  return text;
}

std::string page_name(std::string name) {
  std::replace(name.begin(), name.end(), ' ', '-');
  return name;
}

// The first sentence of the description, as the line that apropos(1) shows.
std::string summary(const Help& help) {
  std::string text;
  for (const std::string& word : split_words(help.description)) {
    text += (text.empty() ? "" : " ") + word;
    if (word.ends_with('.')) break;
  }
  if (text.ends_with('.')) text.pop_back();
  if (text.size() > 1 && !is_capital(text[1])) {
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  }
  return text;
}

std::string option_items(const Help& help) {
  std::string text;
  for (const Help::Option& option : help.options) {
    if (option.is_setting) continue;
    std::string term = option.short_name.empty() ? "" : bold(option.short_name) + ", ";
    term += bold(option.name);
    if (!option.value_name.empty()) term.append(" ").append(italic(option.value_name));
    text += item(term, sentence(option.documentation, option.default_value));
  }
  return text;
}

bool has_settings(const Help& help) {
  return std::any_of(help.options.begin(), help.options.end(),
                     [](const Help::Option& option) { return option.is_setting; });
}

}  // namespace

std::string Help::name() const {
  std::string name;
  for (const std::string& word : split_words(usage)) {
    const auto is_of_a_name = [](char c) { return c == '-' || c == '_' || (c >= 'a' && c <= 'z'); };
    if (!std::all_of(word.begin(), word.end(), is_of_a_name)) break;
    name += (name.empty() ? "" : " ") + word;
  }
  return name;
}

HelpForm help_form(const std::string& name) {
  if (name == "text") return HelpForm::text;
  if (name == "man") return HelpForm::man;
  if (name == "words") return HelpForm::words;
  throw UsageError("--help=" + name + " is not known; choose text, man or words.");
}

std::optional<HelpForm> help_form_of_word(std::string_view word) {
  if (word == "--help" || word == "-h") return HelpForm::text;
  constexpr std::string_view beginning = "--help=";
  if (!word.starts_with(beginning)) return std::nullopt;
  return help_form(std::string(word.substr(beginning.size())));
}

std::string help_of_parts(const Help& help, HelpForm form) {
  if (form == HelpForm::man) return man_page(help);
  if (form == HelpForm::words) return completion_words(help);
  std::size_t width = 8;
  for (const Help::Part& part : help.parts) width = std::max(width, part.name.size());
  std::string text = "Usage: " + help.usage + "\n\n" + help.description + "\n\nCommands:\n";
  for (const Help::Part& part : help.parts) {
    text += "  " + part.name + std::string(width + 2 - part.name.size(), ' ') + part.summary + "\n";
  }
  text.append("\n`").append(help.name()).append(" COMMAND --help` explains one.\n");
  for (const Help::Option& option : help.options) {
    text.append("`").append(help.name()).append(" ").append(option.name).append("`: ");
    text.append(option.documentation).append(".\n");
  }
  text += "\nExample:\n";
  for (const std::string& line : list_items(help.example, '\n')) text.append("  ").append(line).append("\n");
  return text;
}

std::string man_page(const Help& help) {
  const std::string page = page_name(help.name());
  std::string text = header(page, "1", "User commands");
  text += ".SH NAME\n" + roff(page) + " \\- " + roff(summary(help)) + "\n";
  text += ".SH SYNOPSIS\n" + roff(help.usage) + "\n";
  text += ".SH DESCRIPTION\n" + paragraph(help.description);
  if (!help.parts.empty()) text += ".SH COMMANDS\n";
  for (const Help::Part& part : help.parts) {
    text += item(bold(page + "-" + part.name) + "(1)", sentence(part.summary, ""));
  }
  if (!help.options.empty()) text += ".SH OPTIONS\n" + option_items(help);
  if (has_settings(help)) {
    text += ".PP\n" + paragraph(
                          "Every setting of the configuration file may be given as an option too, with - for "
                          "_, where no option "
                          "above has its name: gearman_servers is --gearman-servers.");
  }
  const std::vector<std::string> examples = list_items(help.example, '\n');
  if (!examples.empty()) text += ".SH EXAMPLES\n.EX\n";
  for (const std::string& line : examples) text += roff(line) + "\n";
  if (!examples.empty()) text += ".EE\n";
  text += ".SH SEE ALSO\n" + std::string(page == "quire" ? "" : "\\fBquire\\fR(1),\n") +
          "\\fBquire.conf\\fR(5)\n";
  return text;
}

std::string configuration_man_page() {
  std::string text = header("quire.conf", "5", "File formats");
  text += ".SH NAME\nquire.conf \\- the settings of quire\n";
  text += ".SH DESCRIPTION\n" +
          paragraph(
              "The file is read from --config FILE, else from the variable QUIRE_CONFIG, else from "
              "/etc/quire/quire.conf. A line is NAME = VALUE; one that begins with # or ; is a comment. What "
              "is not set has "
              "its default. A setting of section [quire] may come from the environment too, which counts "
              "more than the "
              "file, and from the command line, which counts most.");
  text += ".SH SECTION [quire]\n";
  for (const SettingDescription& setting : setting_descriptions()) {
    text += item(bold(setting.name) + " = " + italic(setting.value_name),
                 sentence(setting.documentation, setting.default_value));
    text += ".br\n" + roff(setting.variable + ", --" + setting.option) + "\n";
  }
  text += ".SH SECTIONS [function:NAME]\n" + paragraph(
                                                 "Settings of one function, by its name in the module table; "
                                                 "there may be any number of such sections.");
  for (const SettingDescription& setting : function_setting_descriptions()) {
    text += item(bold(setting.name) + " = " + italic(setting.value_name),
                 setting.documentation.empty() ? "Likewise." : sentence(setting.documentation, ""));
  }
  text += ".SH SECTION [environment]\n" +
          paragraph("NAME = VALUE: variables that are set in the environment of every client script.");
  text += ".SH SEE ALSO\n\\fBquire\\fR(1),\n\\fBquire\\-worker\\fR(1)\n";
  return text;
}

std::string completion_words(const Help& help) {
  std::string text;
  for (const Help::Part& part : help.parts) text += "part\t" + part.name + "\t" + part.summary + "\n";
  for (const Help::Option& option : help.options) {
    for (const std::string& name : {option.name, option.short_name}) {
      if (!name.empty())
        text += "option\t" + name + "\t" + option.value_name + "\t" + option.documentation + "\n";
    }
  }
  for (std::string word : split_words(help.usage)) {
    std::erase_if(word, [](char c) { return c == '[' || c == ']' || c == '(' || c == ')'; });
    if (!word.empty() && is_capital(word[0]) && word != "OPTIONS") text += "word\t" + word + "\n";
  }
  return text;
}

}  // namespace quire
