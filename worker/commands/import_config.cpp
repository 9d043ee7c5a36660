// quire import-config: a configuration made of a site's own files.
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>

#include "worker/commands/command.hpp"
#include "worker/commands/command_options.hpp"
#include "worker/site_import.hpp"

namespace quire {
namespace {

namespace po = boost::program_options;

SiteLayout layout_named(const std::string& name) {
  if (name.empty()) return SiteLayout::unknown;
  if (name == "folders") return SiteLayout::folders;
  if (name == "package") return SiteLayout::package;
  if (name == "ccp") return SiteLayout::ccp;
  throw UsageError("--layout " + name + " is not known; choose folders, package or ccp.");
}

}  // namespace

int run_import_config(const std::vector<std::string>& arguments) {
  CommandOptions options(
      {.usage = "quire import-config [OPTIONS] PATH…",
       .description =
           "Makes a configuration of the files that an Archivematica, CCP or AtoM site has, with a comment\n"
           "where each value came from, and a line for everything that has no counterpart. A PATH is a\n"
           "configuration file of theirs, a file of variables, the unit of the worker, or a folder:\n"
           "/etc/archivematica, or the root of an AtoM site. Passwords are not copied.",
       .example = "quire import-config /etc/archivematica /etc/default/archivematica-mcp-client\n"
                  "quire import-config /lib/systemd/system/archivematica-mcp-client.service --output "
                  "/etc/quire/archivematica.conf\n"
                  "quire import-config /usr/share/nginx/atom"});
  options.own().add_options()("output,o", po::value<std::string>()->value_name("FILE"),
                              "write it there, where no file is yet, instead of to standard output")(
      "layout", po::value<std::string>()->default_value("")->value_name("LAYOUT"),
      "of the Python scripts: folders (Archivematica up to 1.17), package (from 1.18 on), ccp; empty: what "
      "is "
      "read tells it");
  if (!options.parse(arguments, CommandOptions::Words::among_options)) return exit_ok;
  if (options.words().empty()) {
    throw UsageError("Name the site's files: quire import-config /etc/archivematica.");
  }
  const ImportedConfiguration made =
      imported_configuration(options.words(), layout_named(options.values()["layout"].as<std::string>()));
  for (const std::string& warning : made.warnings) std::cerr << "quire import-config: " << warning << '\n';
  if (options.values().count("output") == 0) {
    std::cout << made.text;
    return exit_ok;
  }
  const std::string path = options.values()["output"].as<std::string>();
  if (std::ifstream(path))
    throw UsageError(path + " exists already; name another --output, or move it away.");
  std::ofstream file(path);
  file << made.text << std::flush;
  if (!file) throw UsageError("--output " + path + " cannot be written: " + std::strerror(errno) + ".");
  std::cout << path << ": written. Look through it, then check it as the user of the worker: quire doctor "
            << "--archivematica --config " << path;
  // With more of them than one, the unit's own way is the only one.
  if (made.variable_files.size() == 1) std::cout << " --environment-file " << made.variable_files.front();
  std::cout << '\n';
  return exit_ok;
}

}  // namespace quire
