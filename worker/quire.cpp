// The command quire: which command is it, and how did it end?
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "worker/commands/command.hpp"
#include "worker/nearest.hpp"
#include "worker/settings.hpp"

namespace {

using namespace quire;

constexpr std::array commands = {
    Command{"worker", "take batches from the job servers and run them, until a signal", run_worker},
    Command{"submit", "send tasks to a job server, as a controller does, and show their results", run_submit},
    Command{"tasks", "list the tasks on record, show, watch, export, cancel, retry and clear them",
            run_tasks},
    Command{"status", "what the workers on this host are doing, and the queues of the job servers",
            run_status},
    Command{"doctor", "what is wrong, and what to do about it", run_doctor},
    Command{"try", "run a client script here and now, without a job server", run_try},
    Command{"scripts", "list the client scripts, check that they load, begin a new one", run_scripts},
};

const Command* find_command(const std::string& name) {
  const auto command =
      std::find_if(commands.begin(), commands.end(), [&](const Command& each) { return name == each.name; });
  return command == commands.end() ? nullptr : &*command;
}

void print_help(std::ostream& to) {
  to << "Usage: quire COMMAND [OPTIONS] …\n\nThe worker end of a Gearman pipeline.\n\nCommands:\n";
  for (const Command& command : commands) {
    to << "  " << command.name << std::string(10 - std::string(command.name).size(), ' ') << command.summary
       << '\n';
  }
  to << "\n`quire COMMAND --help` explains one; `quire --print-configuration` writes a configuration file "
        "with\n"
        "every setting and its default; `quire --version` tells the version.\n";
}

int run(const std::vector<std::string>& words) {
  if (words.empty()) {
    print_help(std::cerr);
    return exit_usage;
  }
  const std::string& word = words[0];
  if (const Command* const command = find_command(word))
    return command->run({words.begin() + 1, words.end()});
  if (word == "--help" || word == "-h") {
    print_help(std::cout);
  } else if (word == "--version") {
    std::cout << "quire " QUIRE_VERSION "\n";
  } else if (word == "--print-configuration") {
    std::cout << documented_configuration();
  } else {
    std::vector<std::string> names = {"--help", "--version", "--print-configuration"};
    for (const Command& each : commands) names.emplace_back(each.name);
    throw UsageError("There is no command \"" + word + "\"." + did_you_mean(word, names) +
                     " `quire --help` lists them.");
  }
  return exit_ok;
}

// Whether all output went where it should. A reader that has gone away ("| head") has seen what it wanted.
bool output_arrived() {
  std::cout.flush();
  if (std::cout && std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return true;
  pollfd output = {STDOUT_FILENO, POLLOUT, 0};
  return poll(&output, 1, 0) == 1 && (output.revents & POLLERR) != 0;
}

int complain(const std::string& name, const std::exception& error, ExitCode code) {
  std::cerr << name << ": " << error.what() << '\n';
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  const std::string name =
      !words.empty() && find_command(words[0]) != nullptr ? "quire " + words[0] : "quire";
  try {
    const int code = run(words);
    if (output_arrived()) return code;
    throw std::runtime_error("The output could not be written.");
  } catch (const UsageError& error) {
    return complain(name, error, exit_usage);
  } catch (const ConfigurationError& error) {
    return complain(name, error, exit_configuration);
  } catch (const std::exception& error) {
    return complain(name, error, exit_software);
  }
}
