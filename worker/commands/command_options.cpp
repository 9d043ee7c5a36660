#include "worker/commands/command_options.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <system_error>

#include <unistd.h>
#include <boost/program_options/errors.hpp>
#include <boost/program_options/option.hpp>
#include <boost/program_options/parsers.hpp>

#include "worker/commands/command.hpp"
#include "worker/commands/help.hpp"
#include "worker/foreign_config.hpp"
#include "worker/nearest.hpp"
#include "worker/suggestion.hpp"
#include "worker/variables_file.hpp"

namespace quire {
namespace {

namespace po = boost::program_options;

constexpr unsigned help_width = 100;
constexpr const char* default_file = "/etc/quire/quire.conf";

bool is_option(const std::string& word) { return word.size() > 1 && word[0] == '-'; }

// A hook of Program_options, called with the words that are left; what it takes it removes from them.
// Takes "--name=", which Program_options refuses, as the empty value, which settings may have.
std::vector<po::option> take_empty_value(std::vector<std::string>& left) {
  const std::string& word = left.front();
  if (!word.starts_with("--") || word.find('=') != word.size() - 1) return {};
  po::option option(word.substr(2, word.size() - 3), {""});
  option.original_tokens = {word};
  left.erase(left.begin());
  return {option};
}

// Likewise, and takes the first word that is no option together with all that follows.
std::vector<po::option> take_words_to_the_end(std::vector<std::string>& left) {
  // The hook is also asked about single words that are to be an option's value; those are not its business,
  // and a last word is taken for what it is anyway.
  if (left.size() == 1 || is_option(left.front())) return take_empty_value(left);
  std::vector<po::option> words;
  for (const std::string& word : left) {
    po::option& option = words.emplace_back();
    option.value = option.original_tokens = {word};
  }
  left.clear();
  return words;
}

// An option of the command's own takes the place of a setting with the same name.
bool is_own(const po::options_description& own, const SettingDescription& setting) {
  return own.find_nothrow(setting.option, false) != nullptr;
}

// Those of the settings that `wanted` says, as options.
po::options_description setting_options(const po::options_description& own, const std::string& caption,
                                        const std::function<bool(const SettingDescription&)>& wanted) {
  po::options_description options(caption, help_width);
  for (const SettingDescription& setting : setting_descriptions()) {
    if (is_own(own, setting) || !wanted(setting)) continue;
    std::string text = setting.documentation;
    if (!setting.default_value.empty()) text += " (" + setting.default_value + ")";
    options.add_options()(setting.option.c_str(), po::value<std::string>()->value_name(setting.value_name),
                          text.c_str());
  }
  return options;
}

po::options_description all_setting_options(const po::options_description& own) {
  return setting_options(own, "", [](const SettingDescription&) { return true; });
}

// "N (=128)", as Program_options has it, is the name of the value and its default. A value that may be left
// out is in brackets: its name is all there is to say.
Help::Option described(const po::option_description& option) {
  Help::Option described{.name = "--" + option.long_name(), .documentation = option.description()};
  const std::string shown = option.canonical_display_name(po::command_line_style::allow_dash_for_short);
  if (shown != described.name && shown != option.long_name()) described.short_name = shown;
  const std::string value = option.format_parameter();
  if (value.starts_with('[')) return described;
  const std::size_t space = value.find(" (=");
  described.value_name = value.substr(0, space);
  if (space != std::string::npos) described.default_value = value.substr(space + 3, value.size() - space - 4);
  return described;
}

std::string did_you_mean_option(const std::string& option, const po::options_description& known) {
  std::vector<std::string> names;
  for (const auto& each : known.options()) names.push_back("--" + each->long_name());
  return did_you_mean(option, names);
}

std::vector<std::string> environment_variables() {
  std::vector<std::string> variables;
  for (const char* const* variable = environ; *variable != nullptr; ++variable)
    variables.emplace_back(*variable);
  return variables;
}

}  // namespace

CommandOptions::CommandOptions(Text text) : text_(std::move(text)), own_("Options", help_width) {}

bool CommandOptions::parse(const std::vector<std::string>& arguments, Words words) {
  own_.add_options()("config", po::value<std::string>()->value_name("FILE"),
                     "configuration file (QUIRE_CONFIG, else /etc/quire/quire.conf)")(
      "environment-file", po::value<std::string>()->value_name("FILE"),
      "file of variables, read as systemd reads a unit's EnvironmentFile=")(
      "help,h", po::value<std::string>()->implicit_value("text")->value_name("FORM"),
      "print this text; =man: as a page of the manual; =words: for the completion of a shell");
  po::options_description all;
  all.add(own_).add(all_setting_options(own_));

  try {
    const auto parsed =
        po::command_line_parser(arguments)
            .options(all)
            .style(po::command_line_style::unix_style & ~po::command_line_style::allow_guessing)
            .extra_style_parser(words == Words::end_options ? take_words_to_the_end : take_empty_value)
            .run();
    po::store(parsed, values_);
    po::notify(values_);
    words_ = po::collect_unrecognized(parsed.options, po::include_positional);
  } catch (const po::unknown_option& error) {
    const std::string option = error.get_option_name().substr(0, error.get_option_name().find('='));
    if (option == "--print-configuration" || option == "--version") {
      throw UsageError("The option " + option + " is one of quire alone: `quire " + option + "`.");
    }
    throw UsageError("There is no option " + option + "." + did_you_mean_option(option, all) +
                     " --help lists them.");
  } catch (const po::error& error) {
    std::string what = error.what();
    what[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(what[0])));
    throw UsageError(what + "; --help tells what it takes.");
  }

  if (values_.count("help") == 0) {
    if (values_.count("environment-file") != 0)
      load_variables_file(values_["environment-file"].as<std::string>());
    return true;
  }
  print_help(values_["help"].as<std::string>());
  return false;
}

void CommandOptions::print_help(const std::string& form) const {
  const HelpForm wanted = help_form(form);
  if (wanted != HelpForm::text) {
    Help help{.usage = text_.usage, .description = text_.description, .example = text_.example};
    for (const auto& option : own_.options()) help.options.push_back(described(*option));
    const po::options_description settings = all_setting_options(own_);
    for (const auto& option : settings.options()) {
      help.options.push_back(described(*option));
      help.options.back().is_setting = true;
    }
    std::cout << (wanted == HelpForm::man ? man_page(help) : completion_words(help));
    return;
  }
  const auto matters = [&](const SettingDescription& setting) {
    return setting.name == "record" || setting.name == "state_directory" ||
           std::ranges::find(text_.settings, setting.name) != text_.settings.end();
  };
  std::cout
      << "Usage: " << text_.usage << "\n\n"
      << text_.description << "\n\n"
      << own_ << '\n'
      << setting_options(own_, "Settings, also read from the configuration file and from variables QUIRE_…",
                         matters)
      << "  All other settings are options too: `quire --print-configuration` and `man quire.conf` tell of\n"
         "  them.\n\nExample:\n";
  for (const std::string& line : list_items(text_.example, '\n')) std::cout << "  " << line << '\n';
}

Settings CommandOptions::settings() const {
  Settings settings = stated_settings();
  settings.complete();
  return settings;
}

// The files of other programs count less than what names them, so that is read first, and then once more.
Settings CommandOptions::stated_settings() const {
  Settings stated;
  apply_to(stated);
  Settings settings = foreign_settings(stated, environment_variables());
  apply_to(settings);
  return settings;
}

std::string CommandOptions::file() const {
  if (values_.count("config") != 0) return values_["config"].as<std::string>();
  const char* const variable = std::getenv("QUIRE_CONFIG");
  if (variable != nullptr && *variable != '\0') return variable;
  // Where it cannot be told whether the file is there, reading it says why.
  std::error_code error;
  return std::filesystem::exists(default_file, error) || error ? default_file : "";
}

std::string CommandOptions::site_options() const {
  std::string options;
  const auto repeat = [&](const std::string& option) {
    if (values_.count(option) == 0) return;
    options.append(" --").append(option).append(" ").append(shell_word(values_[option].as<std::string>()));
  };
  repeat("config");
  repeat("environment-file");
  for (const SettingDescription& setting : setting_descriptions()) {
    if (!is_own(own_, setting)) repeat(setting.option);
  }
  return options;
}

std::string CommandOptions::suggested(std::string_view command, std::string_view words) const {
  return quire::suggested(site_options(), command, words);
}

void CommandOptions::apply_to(Settings& settings) const {
  if (const std::string path = file(); !path.empty()) read_settings_file(settings, path);
  read_settings_environment(settings, environment_variables());
  for (const SettingDescription& setting : setting_descriptions()) {
    if (is_own(own_, setting) || values_.count(setting.option) == 0) continue;
    set_setting(settings, setting.name, values_[setting.option].as<std::string>(), "--" + setting.option);
  }
}

}  // namespace quire
