#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string_view>
#include <system_error>

#include <boost/algorithm/string/replace.hpp>

#include "worker/commands/command.hpp"
#include "worker/commands/command_options.hpp"
#include "worker/commands/scripts.hpp"
#include "worker/installation.hpp"
#include "worker/suggestion.hpp"

namespace quire {
namespace {

namespace fs = std::filesystem;

// @NAME@ stands for the script's name.
constexpr std::string_view cpp_script = R"(// @NAME@ — say here in one sentence what it does.
//
//   arg 1   whom to greet
#include <quire/client_script.hpp>

void call(quire::Jobs jobs) {
  quire::for_each_job(jobs, [](quire::Job& job) { job.print_output("Hello,", job.arg(1)); });
}
)";

constexpr std::string_view cpp_build = R"(cmake_minimum_required(VERSION 3.25)
project(client_scripts LANGUAGES CXX)
find_package(quire REQUIRED)
quire_add_client_script(@NAME@ @NAME@.cpp)
)";

constexpr std::string_view python_script = R"("""@NAME@: say here in one sentence what it does.

    argument 1   whom to greet
"""


def call(jobs):
    for job in jobs:
        with job.JobContext():
            job.print_output("Hello,", job.args[1])
)";

constexpr std::string_view program = R"(#!/bin/sh
# @NAME@: say here in one sentence what it does. It runs once per job; what it writes and its exit status are
# the job's.
#
#   argument 1   whom to greet
set -eu
echo "Hello, ${1:?whom to greet is missing}"
)";

struct Kind {
  const char* option;
  std::string_view ending;  // of the file that is written
  std::string_view text;
  mode_t mode;
};
constexpr std::array kinds = {Kind{"cpp", ".cpp", cpp_script, 0666},
                              Kind{"python", ".py", python_script, 0666}, Kind{"program", "", program, 0777}};

const Kind& chosen_kind(const boost::program_options::variables_map& values) {
  const auto is_chosen = [&](const Kind& kind) { return values[kind.option].as<bool>(); };
  if (std::count_if(kinds.begin(), kinds.end(), is_chosen) != 1) {
    throw UsageError("Say in which language: --cpp, --python or --program.");
  }
  return *std::find_if(kinds.begin(), kinds.end(), is_chosen);
}

// The name becomes a file, a target of CMake and a module of Python.
void check_name(const std::string& name) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
  if (name.empty() || name.find_first_not_of(letters) != name.npos || (name[0] >= '0' && name[0] <= '9')) {
    throw UsageError(
        "\"" + name +
        "\" cannot be the name of a script; use letters, digits and _, and begin with a letter.");
  }
}

// Another file of this name would be a second script of the same module.
void refuse_existing(const fs::path& directory, const std::string& name) {
  for (const char* const ending : {".cpp", ".py", ".so", ""}) {
    const fs::path file = directory / (name + ending);
    if (fs::exists(fs::symlink_status(file))) {
      throw UsageError(file.string() + " is there already; choose another name or --directory.");
    }
  }
}

void write_new_file(const fs::path& path, std::string_view content, const std::string& name, mode_t mode) {
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (descriptor < 0) {
    throw UsageError(path.string() + " cannot be made: " + std::generic_category().message(errno) + ".");
  }
  close(descriptor);
  std::ofstream file(path);
  file << boost::algorithm::replace_all_copy(std::string(content), "@NAME@", name) << std::flush;
  if (!file) throw UsageError(path.string() + " could not be written to its end; is the disk full?");
  std::cout << "Wrote " << path.string() << '\n';
}

void print_build(const fs::path& directory) {
  // Scripts are built against an installation, and what runs now may be a build that was never installed.
  fs::path prefix = installation().prefix;
  if (!fs::exists(prefix / "lib/cmake/quire/quireConfig.cmake")) {
    const fs::path installed = prefix / "installed";
    std::cout << "Install quire, which scripts are built against:\n  cmake --install "
              << shell_word(prefix.string()) << " --prefix " << shell_word(installed.string()) << '\n';
    prefix = installed;
  }
  const std::string build = shell_word((directory / "build").string());
  std::cout << "Build it:\n  cmake -S " << shell_word(directory.string()) << " -B " << build
            << " -DCMAKE_PREFIX_PATH=" << shell_word(prefix.string()) << " && cmake --build " << build
            << '\n';
}

}  // namespace

int run_scripts_new(const std::vector<std::string>& arguments) {
  namespace po = boost::program_options;
  CommandOptions options({.usage = "quire scripts new NAME --cpp|--python|--program [--directory FOLDER]",
                          .description = "Writes a client script to begin with, and says how to try it and "
                                         "how to offer it to controllers.\n"
                                         "Nothing is ever overwritten.",
                          .example = "  quire scripts new greet --python --directory /srv/scripts",
                          .settings = {"client_scripts"}});
  options.own().add_options()("cpp", po::bool_switch(),
                              "in C++: NAME.cpp, and a CMakeLists.txt where there is none")(
      "python", po::bool_switch(), "in Python: NAME.py")("program", po::bool_switch(),
                                                         "an executable shell script: NAME")(
      "directory", po::value<std::string>()->default_value(".")->value_name("FOLDER"),
      "where; made when it is missing");
  if (!options.parse(arguments, CommandOptions::Words::among_options)) return exit_ok;
  if (options.words().size() != 1) throw UsageError("Give one name. `quire scripts new --help` explains.");

  const std::string& name = options.words()[0];
  check_name(name);
  const Kind& kind = chosen_kind(options.values());
  const Settings settings = options.settings();
  fs::path directory = fs::absolute(options.values()["directory"].as<std::string>()).lexically_normal();
  if (!directory.has_filename())
    directory = directory.parent_path();  // "folder/." and "folder/" are "folder"
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) throw UsageError(directory.string() + " cannot be made: " + error.message() + ".");
  refuse_existing(directory, name);

  write_new_file(directory / (name + std::string(kind.ending)), kind.text, name, kind.mode);
  const bool is_cpp = kind.text == cpp_script;
  if (is_cpp) {
    const fs::path list = directory / "CMakeLists.txt";
    if (fs::exists(list)) {
      std::cout << "Add to " << list.string() << ":\n  quire_add_client_script(" << name << " " << name
                << ".cpp)\n";
    } else {
      write_new_file(list, cpp_build, name, 0666);
    }
    print_build(directory);
  }
  const fs::path folder = is_cpp ? directory / "build" : directory;
  std::cout << "Try it:\n  " << shell_word(installation().program) << " try --client-scripts "
            << shell_word(folder.string()) << ' ' << name << " World\n"
            << "Offer it, in the configuration file of the worker (--config):\n  client_scripts = "
            << folder.string() << ':' << settings.client_scripts << '\n';
  if (settings.client_modules == installation().client_modules) {
    std::cout << "  client_modules = a copy of " << settings.client_modules << " with this line:\n";
  } else {
    std::cout << "and in " << settings.client_modules << ":\n";
  }
  std::cout << "  " << lower_case(name) << " = " << name << '\n';
  return exit_ok;
}

}  // namespace quire
