#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <regex>
#include <set>

#include "tests/support/temporary_folder.hpp"
#include "worker/installation.hpp"
#include "worker/nearest.hpp"
#include "worker/settings.hpp"

using namespace quire;

namespace {

const std::filesystem::path repository = std::filesystem::path(TEST_DATA) / "../..";

Settings from_file(std::string_view text) {
  const test::TemporaryFolder folder;
  Settings settings;
  read_settings_file(settings, folder.write("quire.conf", text));
  return settings;
}

// The sentence with which the text is refused, without the name of the file; empty when it is accepted.
std::string refusal(std::string_view text) {
  const test::TemporaryFolder folder;
  const std::string path = folder.write("quire.conf", text);
  Settings settings;
  try {
    read_settings_file(settings, path);
    return "";
  } catch (const ConfigurationError& error) {
    const std::string sentence = error.what();
    CHECK(sentence.starts_with(path + ":"));
    return sentence.substr(path.size() + 1);
  }
}

std::string refusal_of(const std::string& name, const std::string& value) {
  Settings settings;
  try {
    set_setting(settings, name, value, "here");
    return "";
  } catch (const ConfigurationError& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("settings: the table") {
  SUBCASE("every member of Settings has a row, and every row a member") {
    std::string header = test::read_file(repository / "worker/settings.hpp");
    header = header.substr(header.find("struct Settings {"));
    header = header.substr(0, header.find("void complete()"));
    const std::regex member(R"(\n  (?:std::string|std::size_t|bool) (\w+))");
    std::set<std::string> members;
    for (std::sregex_iterator match(header.begin(), header.end(), member), end; match != end; ++match) {
      members.insert((*match)[1]);
    }
    std::set<std::string> rows;
    for (const SettingDescription& setting : setting_descriptions()) rows.insert(setting.name);
    CHECK(members == rows);
    CHECK(rows.size() == setting_descriptions().size());
  }
  SUBCASE("a setting has one name in three spellings") {
    const SettingDescription& first = setting_descriptions().at(0);
    CHECK(first.name == "gearman_servers");
    CHECK(first.option == "gearman-servers");
    CHECK(first.variable == "QUIRE_GEARMAN_SERVERS");
    CHECK(first.default_value == "127.0.0.1:4730");
  }
  SUBCASE("etc/quire.conf is the documented configuration") {
    INFO("quire --print-configuration > etc/quire.conf");
    CHECK(test::read_file(repository / "etc/quire.conf") == documented_configuration());
  }
  SUBCASE("the documented configuration changes nothing as it is") {
    const Settings settings = from_file(documented_configuration());
    CHECK(settings.host_subsets == 10000);
    CHECK(settings.functions.empty());
    CHECK(settings.environment.empty());
  }
  SUBCASE("the documented configuration can be read with every setting uncommented") {
    const std::string text =
        std::regex_replace(documented_configuration(), std::regex("\n#(?=[^ \n])"), "\n");
    const Settings settings = from_file(text);
    CHECK(settings.gearman_servers == "127.0.0.1:4730");
    CHECK(settings.capture_client_script_output);
    CHECK(settings.functions.at("checksum_v0.0").concurrent_instances == 4);
    CHECK(settings.environment.at("DJANGO_SETTINGS_MODULE") == "settings.common");
  }
}

TEST_CASE("settings: values") {
  SUBCASE("a number is digits in its range, and nothing else") {
    for (const std::string bad :
         {"", "-1", "+1", "1.5", "0x1", "1k", " 1", "10001", "99999999999999999999999"}) {
      CAPTURE(bad);
      CHECK(refusal_of("workers", bad).find(" is not a whole number from 0 to 10000.") != std::string::npos);
    }
    CHECK(refusal_of("workers", "10000") == "");
    CHECK(refusal_of("workers", "x") == "here: \"x\" is not a whole number from 0 to 10000.");
    CHECK(refusal_of("host_start_limit", "0") == "here: \"0\" is not a whole number from 1 to 1000000000.");
  }
  SUBCASE("yes and no have four spellings each, in any case") {
    Settings settings;
    for (const char* const word : {"yes", "true", "on", "1", "Yes", "TRUE"}) {
      settings.capture_client_script_output = false;
      set_setting(settings, "capture_client_script_output", word, "here");
      CHECK(settings.capture_client_script_output);
    }
    for (const char* const word : {"no", "false", "off", "0", "No", "OFF"}) {
      settings.capture_client_script_output = true;
      set_setting(settings, "capture_client_script_output", word, "here");
      CHECK_FALSE(settings.capture_client_script_output);
    }
    for (const char* const word : {"", "2", "y", "nein", "truee"}) {
      CHECK(refusal_of("capture_client_script_output", word).find("neither yes nor no") != std::string::npos);
    }
  }
  SUBCASE("job servers are hosts, with or without a port") {
    for (const char* const good : {"a", "a:1", "a:1,b:65535", " a , b:2 ", "[::1]:4730"}) {
      CHECK(refusal_of("gearman_servers", good) == "");
    }
    for (const std::string bad : {"", ",", "a:", "a:0", "a:65536", "a:x", ":1", "a b", "a;b", "http://a"}) {
      CAPTURE(bad);
      CHECK(refusal_of("gearman_servers", bad).starts_with("here: "));
    }
  }
  SUBCASE("a level that the log does not have is refused, with the one that was meant") {
    CHECK(refusal_of("log_level", "debug") == "");
    CHECK(refusal_of("log_level", "warnin").ends_with("Did you mean warning?"));
    CHECK(refusal_of("log_levels", "record=debug, gearman = warning").empty());
    CHECK(refusal_of("log_levels", "").empty());
    CHECK(refusal_of("log_levels", "recrd=debug").ends_with("Did you mean record?"));
    CHECK(refusal_of("log_levels", "record=loud").find("\"loud\" is not a level") != std::string::npos);
    CHECK(
        refusal_of("log_levels", "record").ends_with("\"record\" is not ROOM=LEVEL, such as record=debug."));
    CHECK(refusal_of("log_format", "xml").ends_with("\"xml\" is not a form of the log; use text or json."));
  }
  SUBCASE("a list has no empty items and no white space around them") {
    CHECK(list_items(" a ,, b c ,", ',') == std::vector<std::string>{"a", "b c"});
    CHECK(list_items("", ':').empty());
  }
}

TEST_CASE("settings: the file") {
  SUBCASE("all sections are read") {
    const Settings settings = from_file(
        "[quire]\nworkers = 3\nrecord =\n[function:Checksum_v0.0]\nconcurrent_instances = 2\n"
        "[environment]\nLower_case = a = b\n");
    CHECK(settings.workers == 3);
    CHECK(settings.record == "");
    CHECK(settings.functions.at("checksum_v0.0").concurrent_instances == 2);
    CHECK(settings.environment.at("Lower_case") == "a = b");
  }
  SUBCASE("a key that does not exist is refused with its line and the one that was meant") {
    CHECK(refusal("[quire]\n\ngearman_server = a\n") ==
          "3: \"gearman_server\" is not a setting. Did you mean gearman_servers? `quire "
          "--print-configuration` lists "
          "them.");
    CHECK(refusal("[quire]\nworkers = 1\nentirely_else = a\n") ==
          "3: \"entirely_else\" is not a setting. `quire --print-configuration` lists them.");
  }
  SUBCASE("names of settings are in small letters") {
    CHECK(refusal("[quire]\nWorkers = 1\n").starts_with("2: "));
  }
  SUBCASE("a bad value is refused with its line and name") {
    CHECK(refusal("[quire]\nworkers = many\n") ==
          "2: workers: \"many\" is not a whole number from 0 to 10000.");
    CHECK(refusal("[function:a]\nconcurrent_instances = 0\n") ==
          "2: concurrent_instances: \"0\" is not a whole number from 1 to 10000.");
  }
  SUBCASE("a section that does not exist is refused, also when it is empty") {
    CHECK(refusal("[quire]\n[worker]\n").starts_with("2: there is no section [worker]; the sections are"));
    CHECK(refusal("[function:]\n").starts_with("1: there is no section [function:]"));
  }
  SUBCASE("one function cannot have two sections, whatever its capitals") {
    CHECK(refusal("[function:a]\n[function:A]\n").starts_with("2: [function:A] is the function of line 1"));
  }
  SUBCASE("a setting of a function that does not exist is refused") {
    CHECK(refusal("[function:a]\nconcurrent_instance = 1\n").ends_with("Did you mean concurrent_instances?"));
  }
  SUBCASE("what cannot be a variable's name is refused") {
    CHECK(refusal("[environment]\nexport A = 1\n")
              .starts_with("2: \"export A\" is not the name of a variable"));
    CHECK(refusal("[environment]\n1A = 1\n").starts_with("2: "));
  }
}

TEST_CASE("settings: the environment") {
  Settings settings;
  SUBCASE("variables set settings, and others are left alone") {
    read_settings_environment(settings, {"PATH=/bin", "QUIRE_WORKERS=7", "QUIRE_CONFIG=/x",
                                         "QUIRE_PYTHON_PREFIX=", "QUIRE_RECORD=/a=b", "QUIREX=1"});
    CHECK(settings.workers == 7);
    CHECK(settings.record == "/a=b");
  }
  SUBCASE("a variable of ours that is no setting is refused, with the one that was meant") {
    CHECK_THROWS_WITH_AS(read_settings_environment(settings, {"QUIRE_WORKER=7"}),
                         "QUIRE_WORKER: the environment holds this variable, and there is no such setting. "
                         "Did you mean QUIRE_WORKERS? Correct its name, or unset it.",
                         ConfigurationError);
  }
  SUBCASE("a bad value is refused with the variable") {
    CHECK_THROWS_WITH_AS(
        read_settings_environment(settings, {"QUIRE_CAPTURE_CLIENT_SCRIPT_OUTPUT=maybe"}),
        "QUIRE_CAPTURE_CLIENT_SCRIPT_OUTPUT: \"maybe\" is neither yes nor no (nor true, false, on, "
        "off, 1, 0).",
        ConfigurationError);
  }
}

TEST_CASE("settings: complete") {
  Settings settings;
  SUBCASE("a record that is none is no path; ./none is one") {
    settings.record = "none";
    settings.complete();
    CHECK(settings.record == "none");
    CHECK_FALSE(settings.keeps_record());
    settings.record = "./none";
    settings.complete();
    CHECK(settings.record == (std::filesystem::current_path() / "none").string());
    CHECK(settings.keeps_record());
  }
  SUBCASE("what is left open gets a usable value") {
    settings.complete();
    CHECK(settings.workers == 2 * settings.max_processes + 2);
    CHECK(settings.max_processes >= 1);
    CHECK(settings.client_modules == installation().client_modules);
    CHECK(settings.client_scripts == installation().client_scripts);
    CHECK(settings.record == settings.state_directory + "/record.sqlite");
    CHECK(settings.state_directory.front() == '/');
    if (geteuid() == 0) CHECK(settings.state_directory == "/var/lib/quire");
  }
  SUBCASE("what is given stays, and paths become absolute") {
    settings.workers = 1;
    settings.state_directory = "state";
    settings.client_scripts = "a::/b/../c:";
    settings.python_path = "lib";
    settings.client_modules = "./table";
    settings.shared_directory = "relative/";
    settings.complete();
    const std::string here = std::filesystem::current_path().string();
    CHECK(settings.workers == 1);
    CHECK(settings.record == here + "/state/record.sqlite");
    CHECK(settings.client_scripts == here + "/a:/c");
    CHECK(settings.python_path == here + "/lib");
    CHECK(settings.client_modules == here + "/table");
    CHECK(settings.shared_directory == "relative/");
  }
}

TEST_CASE("installation") {
  SUBCASE("all parts are found from the program's own path") {
    const Installation parts = installation_of("/opt/quire/bin/quire");
    CHECK(parts.prefix == "/opt/quire");
    CHECK(parts.program == "/opt/quire/bin/quire");
    CHECK(parts.native_host == "/opt/quire/libexec/quire/quire-host");
    CHECK(parts.python_host == "/opt/quire/libexec/quire/quire_host.py");
    CHECK(parts.client_scripts == "/opt/quire/lib/quire/clientScripts");
    CHECK(parts.client_modules == "/opt/quire/share/quire/client_modules.conf");
    CHECK(parts.gearmand_file == "/opt/quire/share/quire/gearmand.conf");
  }
  SUBCASE("a build has the module table that ships") {
    CHECK(test::read_file(installation().client_modules) ==
          test::read_file(repository / "etc/client_modules.conf"));
  }
}

TEST_CASE("nearest") {
  SUBCASE("a word that goes on where the mistyped one ends is found, a nearer one first") {
    const std::vector<std::string> functions = {"checksum_v0.0", "checksun_v0.0", "checksumm", "hello_v0.0"};
    CHECK(nearest("hello", functions) == "hello_v0.0");
    CHECK(nearest("checksum", functions) == "checksumm");
    CHECK(nearest("--print-config", std::vector<std::string>{"--print-configuration"}) == "--print-configuration");
    CHECK(nearest("he", functions) == "");
  }
  const std::vector<std::string> words = {"worker", "submit", "try", "scripts"};
  SUBCASE("a letter left out, put in, exchanged or missing at an end is found") {
    CHECK(nearest("wrker", words) == "worker");
    CHECK(nearest("wworker", words) == "worker");
    CHECK(nearest("submot", words) == "submit");
    CHECK(nearest("script", words) == "scripts");
    CHECK(nearest("tri", words) == "try");
  }
  SUBCASE("nothing is suggested for a word that is like none") {
    CHECK(nearest("listen", words) == "");
    CHECK(nearest("", words) == "");
    CHECK(did_you_mean("xyz", words) == "");
  }
  SUBCASE("distances are those of Levenshtein") {
    CHECK(edit_distance("kitten", "sitting") == 3);
    CHECK(edit_distance("", "abc") == 3);
    CHECK(edit_distance("abc", "") == 3);
    CHECK(edit_distance("abc", "abc") == 0);
  }
}
