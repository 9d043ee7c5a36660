#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <sstream>

#include "tests/support/temporary_folder.hpp"
#include "worker/commands/command.hpp"
#include "worker/commands/command_options.hpp"
#include "worker/suggestion.hpp"

using namespace quire;
namespace po = boost::program_options;
using Words = CommandOptions::Words;

namespace {

// A command with the options --json and --number, given these arguments.
struct Parsed {
  Parsed(const std::vector<std::string>& arguments, Words words) {
    options.own().add_options()("json", po::bool_switch(), "a line of JSON")("number,n", po::value<int>(),
                                                                             "a number");
    go_on = options.parse(arguments, words);
  }
  CommandOptions options{{.usage = "quire it [OPTIONS]", .description = "Does it.", .example = "  quire it"}};
  bool go_on = false;
};

std::vector<std::string> words_of(const std::vector<std::string>& arguments, Words words) {
  return Parsed(arguments, words).options.words();
}

std::string refusal(const std::vector<std::string>& arguments) {
  try {
    Parsed(arguments, Words::among_options);
    return "";
  } catch (const UsageError& error) {
    return error.what();
  }
}

// A variable of the environment for the time of a scope.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) { ::setenv(name, value.c_str(), 1); }
  ~Variable() { ::unsetenv(name_); }

 private:
  const char* name_;
};

}  // namespace

TEST_CASE("command_options: words") {
  SUBCASE("words may stand among the options") {
    CHECK(words_of({"a", "--json", "b", "-n", "3", "c"}, Words::among_options) ==
          std::vector<std::string>{"a", "b", "c"});
  }
  SUBCASE("the first word ends the options, and what follows is handed on as it is") {
    const Parsed parsed({"--number", "3", "hello", "--json", "-x", "", "--", "--record="},
                        Words::end_options);
    CHECK(parsed.options.words() == std::vector<std::string>{"hello", "--json", "-x", "", "--", "--record="});
    CHECK(parsed.options.values()["number"].as<int>() == 3);
    CHECK_FALSE(parsed.options.values()["json"].as<bool>());
  }
  SUBCASE("one word alone is a word") {
    CHECK(words_of({"hello"}, Words::end_options) == std::vector<std::string>{"hello"});
  }
  SUBCASE("-- ends the options") {
    CHECK(words_of({"--json", "--", "--number"}, Words::among_options) ==
          std::vector<std::string>{"--number"});
    CHECK(words_of({"--json", "--", "--number", "x"}, Words::end_options) ==
          std::vector<std::string>{"--number", "x"});
  }
  SUBCASE("a single dash is a word, as for standard input") {
    CHECK(words_of({"-", "--json"}, Words::among_options) == std::vector<std::string>{"-"});
    CHECK(words_of({"-", "--json"}, Words::end_options) == std::vector<std::string>{"-", "--json"});
  }
  SUBCASE("the value of an option may be spelled like an option") {
    const Parsed parsed({"--record", "record", "json", "x"}, Words::end_options);
    CHECK(parsed.options.values()["record"].as<std::string>() == "record");
    CHECK(parsed.options.words() == std::vector<std::string>{"json", "x"});
  }
}

TEST_CASE("command_options: refusals") {
  SUBCASE("an option that does not exist, with the one that was meant") {
    CHECK(refusal({"--jso"}) == "There is no option --jso. Did you mean --json? --help lists them.");
    CHECK(refusal({"--gearman-server=x"}) ==
          "There is no option --gearman-server. Did you mean --gearman-servers? --help lists them.");
  }
  SUBCASE("an option of quire itself") {
    CHECK(refusal({"--print-configuration"}) ==
          "The option --print-configuration is one of quire alone: `quire --print-configuration`.");
  }
  SUBCASE("the beginning of an option is not the option") {
    CHECK(refusal({"--num", "3"}).starts_with("There is no option"));
  }
  SUBCASE("an option without its value") {
    CHECK(refusal({"--number"}).find("--number") != std::string::npos);
  }
  SUBCASE("a value for an option that has none") {
    CHECK(refusal({"--json=x"}).find("--json") != std::string::npos);
  }
  SUBCASE("a value of the wrong type") {
    CHECK(refusal({"--number=x"}).find("--number") != std::string::npos);
  }
  SUBCASE("an option given twice") { CHECK(refusal({"-n1", "-n2"}).find("--number") != std::string::npos); }
  SUBCASE("nothing of these") { CHECK(refusal({"--number=1", "--json"}) == ""); }
}

namespace {

std::string help_of(const std::string& word) {
  std::ostringstream text;
  std::streambuf* const before = std::cout.rdbuf(text.rdbuf());
  CommandOptions options({.usage = "quire it [OPTIONS]",
                          .description = "Does it.",
                          .example = "  quire it",
                          .settings = {"workers"}});
  options.own().add_options()("json", po::bool_switch(), "a line of JSON");
  const bool go_on = options.parse({word}, Words::among_options);
  std::cout.rdbuf(before);
  CHECK_FALSE(go_on);
  return text.str();
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("command_options: help") {
  SUBCASE("for people: the options of its own, the settings that matter, and where the others are") {
    const std::string text = help_of("--help");
    CHECK(text.starts_with("Usage: quire it [OPTIONS]\n\nDoes it.\n"));
    CHECK(has(text, "Example:\n  quire it\n"));
    for (const char* option :
         {"--json", "--config FILE", "--record FILE", "--state-directory FOLDER", "--workers "}) {
      CAPTURE(option);
      CHECK(has(text, option));
    }
    CHECK_FALSE(has(text, "--python-path"));
    CHECK(has(text, "`quire --print-configuration` and `man quire.conf`"));
    CHECK(std::ranges::count(text, '\n') < 40);
  }
  SUBCASE("for shells: all settings") {
    const std::string text = help_of("--help=words");
    for (const SettingDescription& setting : setting_descriptions())
      CHECK(has(text, "option\t--" + setting.option + "\t"));
  }
}

// A command once told the user to look at another site than the one it had been asked about.
TEST_CASE("command_options: the next command") {
  const test::TemporaryFolder folder;
  const std::string file = folder.write("my quire's.conf", "[quire]\nworkers = 1\n");
  const auto next = [&](const std::vector<std::string>& arguments) {
    return Parsed(arguments, Words::among_options).options.suggested("scripts check", "hello");
  };
  SUBCASE("it is about the same site") {
    const Variable variable("QUIRE_CONFIG", file);
    CHECK(next({}) == "`quire scripts check hello`");
    CHECK(next({"--json", "--record", "/a/b c"}) == "`quire scripts check --record '/a/b c' hello`");
    CHECK(Parsed({}, Words::among_options).options.file() == file);
  }
  SUBCASE("a shell reads it as it was") {
    CHECK(next({"--config", file}) ==
          "`quire scripts check --config '" + folder.path().string() + "/my quire'\\''s.conf' hello`");
    CHECK(shell_word("") == "''");
    CHECK(shell_word("/etc/quire/a-1.conf") == "/etc/quire/a-1.conf");
    CHECK(shell_word("$HOME") == "'$HOME'");
  }
}

TEST_CASE("command_options: settings") {
  const test::TemporaryFolder folder;
  const std::string file =
      folder.write("quire.conf", "[quire]\nworkers = 1\nrecord = /file\npython = file\n");
  SUBCASE("a later source counts more: default, file, environment, command line") {
    const Variable record("QUIRE_RECORD", "/environment");
    const Variable python("QUIRE_PYTHON", "environment");
    const Settings settings =
        Parsed({"--config", file, "--python", "option"}, Words::among_options).options.settings();
    CHECK(settings.log_level == "info");
    CHECK(settings.workers == 1);
    CHECK(settings.record == "/environment");
    CHECK(settings.python == "option");
  }
  SUBCASE("what another program's configuration says counts less than all of ours") {
    const std::string foreign =
        folder.write("clientConfig.conf", "[MCPClient]\nworkers = 7\nsharedDirectoryMounted = /foreign/\n");
    const std::string ours = folder.write(
        "ours.conf", "[quire]\narchivematica_config = " + foreign + "\nshared_directory = /ours/\n");
    const Variable variable("ARCHIVEMATICA_MCPCLIENT_WORKERS", "8");
    Settings settings = Parsed({"--config", ours}, Words::among_options).options.settings();
    CHECK(settings.max_processes == 8);
    CHECK(settings.shared_directory == "/ours/");
    settings = Parsed({"--config", ours, "--max-processes=9"}, Words::among_options).options.settings();
    CHECK(settings.max_processes == 9);
    settings = Parsed({"--config", file, "--archivematica-config", foreign}, Words::among_options)
                   .options.settings();
    CHECK(settings.shared_directory == "/foreign/");
    CHECK(Parsed({"--config", file}, Words::among_options).options.settings().shared_directory ==
          Settings().shared_directory);
  }
  SUBCASE("the file may be named by the environment, and the option counts more") {
    const Variable variable("QUIRE_CONFIG", file);
    CHECK(Parsed({}, Words::among_options).options.settings().workers == 1);
    const std::string other = folder.write("other.conf", "[quire]\nworkers = 2\n");
    CHECK(Parsed({"--config=" + other}, Words::among_options).options.settings().workers == 2);
  }
  SUBCASE("an option may set an empty value, in both forms") {
    CHECK(Parsed({"--config", file, "--python="}, Words::among_options).options.settings().python == "");
    CHECK(Parsed({"--config", file, "--python", ""}, Words::among_options).options.settings().python == "");
    CHECK(Parsed({"--config", file, "--python=", "a", "b"}, Words::end_options).options.settings().python ==
          "");
  }
  SUBCASE("a bad value is refused with its option") {
    CHECK_THROWS_WITH_AS(
        Parsed({"--config", file, "--host-idle-time=soon"}, Words::among_options).options.settings(),
        "--host-idle-time: \"soon\" is not a whole number from 0 to 1000000000.", ConfigurationError);
  }
  SUBCASE("a file that was asked for must be there") {
    CHECK_THROWS_AS(Parsed({"--config", "/nonexistent"}, Words::among_options).options.settings(),
                    ConfigurationError);
  }
  SUBCASE("an option of the command's own takes the place of a setting with its name") {
    CommandOptions options({.usage = "", .description = "", .example = ""});
    options.own().add_options()("python", po::bool_switch(), "in Python");
    REQUIRE(options.parse({"--config", file, "--python"}, Words::among_options));
    CHECK(options.values()["python"].as<bool>());
    CHECK(options.settings().python == "file");
  }
  SUBCASE("settings are complete") {
    CHECK_FALSE(Parsed({"--config", file}, Words::among_options).options.settings().client_modules.empty());
  }
}
