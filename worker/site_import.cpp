#include "worker/site_import.hpp"

#include <algorithm>
#include <utility>

#include "worker/installation.hpp"

namespace quire {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Line 10 comes after line 9.
bool natural_less(const std::string& one, const std::string& other) {
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < one.size() && j < other.size()) {
    if (!is_digit(one[i]) || !is_digit(other[j])) {
      if (one[i] != other[j]) return one[i] < other[j];
      ++i, ++j;
      continue;
    }
    const std::size_t i_end =
        std::find_if_not(one.begin() + static_cast<long>(i), one.end(), is_digit) - one.begin();
    const std::size_t j_end =
        std::find_if_not(other.begin() + static_cast<long>(j), other.end(), is_digit) - other.begin();
    if (i_end - i != j_end - j) return i_end - i < j_end - j;
    if (const int order = one.compare(i, i_end - i, other, j, j_end - j); order != 0) return order < 0;
    i = i_end, j = j_end;
  }
  return one.size() - i < other.size() - j;
}

void write_list(std::string& text, const std::string& head, std::vector<std::string> lines) {
  if (lines.empty()) return;
  std::ranges::sort(lines, natural_less);
  lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
  text += "\n" + head + "\n";
  for (const std::string& line : lines) text += "#   " + line + "\n";
}

// How Quire's own scripts are laid over a site's table, for whoever wants it.
std::string native_scripts(const std::string& client_modules) {
  std::string table = installation().client_modules;
  table.replace(table.rfind('/'), table.npos, "/archivematica/native_modules.conf");
  return "# Quire's own scripts, in C++, in the place of some of the Python ones, which they equal:\n"
         "#client_modules = " +
         client_modules + ":" + table + "\n";
}

std::string written(const SiteStatements& site) {
  std::string text = "# Made by `quire import-config` of:\n";
  for (const std::string& source : site.sources) text += "#   " + source + "\n";
  text +=
      "# Settings that are not here have their defaults: quire --print-configuration tells of "
      "all.\n\n[quire]\n";
  for (const SettingDescription& setting : setting_descriptions()) {
    const auto stated = site.settings.find(setting.name);
    if (stated == site.settings.end()) continue;
    text += "\n# " + stated->second.where + "\n" + setting.name + " = " + stated->second.value + "\n";
    if (setting.name == "client_modules" && site.settings.contains("python_prefix"))
      text += native_scripts(stated->second.value);
  }
  if (!site.environment.empty()) text += "\n[environment]\n";
  for (const auto& [name, stated] : site.environment)
    text += "\n# " + stated.where + "\n" + name + " = " + stated.value + "\n";
  write_list(
      text,
      "# The client scripts read these themselves, from their program's own files and from the variables\n"
      "# that the worker is started with (EnvironmentFile= in its unit); what is about the database, "
      "Quire too:",
      site.scripts);
  write_list(
      text,
      "# The client scripts read these themselves, but not from here: they know only the files of their "
      "program in\n# its own place, /etc/archivematica, and variables. See to it that the same is there:",
      site.elsewhere);
  write_list(text, "# Without a counterpart:", site.others);
  write_list(text, "# To be seen to:", site.warnings);
  return text;
}

}  // namespace

ImportedConfiguration imported_configuration(const std::vector<std::string>& paths, SiteLayout layout) {
  SiteStatements site = read_site(paths);
  if (site.settings.empty() && site.archivematica.empty() && site.ccp.empty() &&
      layout == SiteLayout::unknown) {
    throw ConfigurationError(paths.front() +
                             ": nothing in what was read is about a worker of Archivematica, CCP or AtoM; "
                             "name their files, or say "
                             "--layout.");
  }
  add_layout(site, layout);
  return {written(site), std::move(site.variable_files), std::move(site.warnings)};
}

}  // namespace quire
