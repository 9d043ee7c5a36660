#include "worker/site_layout.hpp"

#include <algorithm>
#include <filesystem>

#include "worker/installation.hpp"
#include "worker/site_packages.hpp"

namespace quire {
namespace {

namespace fs = std::filesystem;

constexpr const char* archivematica_python = "/usr/share/archivematica/virtualenvs/archivematica/bin/python";
constexpr const char* client_folder = "/usr/lib/archivematica/MCPClient";

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// Without a slash at its end.
std::string plain(const fs::path& folder) {
  std::string path = folder.lexically_normal();
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

// The first folder that is there, or the last one.
fs::path first_there(const std::vector<fs::path>& folders) {
  const auto found = std::ranges::find_if(folders, is_there);
  return found == folders.end() ? folders.back() : *found;
}

std::string joined(const std::vector<fs::path>& folders) {
  std::vector<std::string> seen;
  std::string list;
  for (const fs::path& folder : folders) {
    if (std::ranges::find(seen, plain(folder)) != seen.end()) continue;
    seen.push_back(plain(folder));
    list += (list.empty() ? "" : ":") + seen.back();
  }
  return list;
}

class LayoutAdder {
 public:
  LayoutAdder(SiteStatements& site, SiteLayout layout) : site_(site), layout_(layout) { find(); }

  void add() {
    switch (layout_) {
      case SiteLayout::unknown:
        return add_environment();
      case SiteLayout::folders:
        name_ = "folders";
        add_folders();
        break;
      case SiteLayout::package:
        name_ = "package";
        add_package();
        break;
      case SiteLayout::ccp:
        name_ = "ccp";
        add_ccp();
        break;
    }
    add_catalog();
    add_database(layout_ == SiteLayout::ccp ? "ccp" : "archivematica");
    add_environment();
  }

 private:
  void find() {
    if (layout_ != SiteLayout::unknown) return;
    const auto django = site_.environment.find("DJANGO_SETTINGS_MODULE");
    const bool has_django = django != site_.environment.end();
    const auto scripts = site_.settings.find("client_scripts");
    if (!site_.ccp.empty()) {
      layout_ = SiteLayout::ccp;
      reason_ = "told by " + site_.ccp;
    } else if (site_.archivematica.empty()) {
      return;  // AtoM's site, or a module table alone
    } else if (has_django && django->second.value.starts_with("archivematica.")) {
      layout_ = SiteLayout::package;
      reason_ = "told by " + django->second.where;
    } else if (has_django || scripts != site_.settings.end()) {
      layout_ = SiteLayout::folders;
      reason_ = "told by " + (has_django ? django->second.where : scripts->second.where);
    } else {
      layout_ = SiteLayout::package;
      reason_ = "assumed, since nothing tells it; --layout folders is that of Archivematica up to 1.17";
      site_.warnings.push_back("layout package: " + reason_ + ".");
    }
  }

  std::string where() const { return "layout " + name_ + ", " + reason_; }

  void set_default(const std::string& setting, const std::string& value, const std::string& more = "") {
    if (!site_.settings.contains(setting)) site_.set(setting, {value, where() + more});
  }

  void set_variable_default(const std::string& name, const std::string& value) {
    site_.environment.try_emplace(name, SiteStatement{value, where()});
  }

  // A folder in which this quire was built is no place for a site's configuration to name.
  static std::string note_of_build_folder(const std::string& installed) {
    if (!is_there(fs::path(installation().prefix) / "CMakeCache.txt")) return "";
    return "; made by a quire that is not installed: write " + installed + " here when it is";
  }

  // The site's own table, of its very version, where it is found beside its scripts; else ours.
  void add_table(const std::string& name, const fs::path& client = {}) {
    if (const fs::path own = client / "archivematicaClientModules"; !client.empty() && is_there(own))
      set_default("client_modules", own, "; the table that is beside its client scripts");
    const fs::path shipped = fs::path(installation().client_modules).parent_path();
    set_default("client_modules", shipped / name, note_of_build_folder("/usr/share/quire/" + name));
  }

  void add_folders() {
    fs::path base = client_folder;  // in which clientScripts is
    std::string scripts = (base / "clientScripts/").string();
    std::string scripts_where = where();
    if (const auto stated = site_.settings.find("client_scripts"); stated != site_.settings.end()) {
      scripts = list_items(stated->second.value, ':').front();
      scripts_where = stated->second.where;
      base = fs::path(plain(scripts)).parent_path();
    }
    add_table("archivematica/client_modules.conf", base);
    const std::string own = installation().client_scripts;
    site_.set("client_scripts",
              {scripts + ":" + own, scripts_where + "; and the folder of Quire's own scripts" +
                                        note_of_build_folder("/usr/lib/quire/clientScripts")});
    set_default("client_assets_directory", (base / "assets/").string());
    set_default("python", archivematica_python);
    set_default("python_prefix", "clientScripts");
    // MCPClient has a package `settings`, and so has the dashboard, which comes after it therefore.
    add_search_path({base, base / "clientScripts"},
                    {first_there({base / "../archivematicaCommon", base / "../../archivematicaCommon/lib",
                                  "/usr/lib/archivematica/archivematicaCommon"}),
                     first_there({base / "../dashboard", base / "../../dashboard/src",
                                  "/usr/share/archivematica/dashboard"})});
    set_variable_default("DJANGO_SETTINGS_MODULE", "settings.common");
  }

  void add_package() {
    set_default("python", archivematica_python);
    const fs::path client = packaged_client(site_.settings.at("python").value);
    add_table("archivematica/client_modules.conf", client);
    set_default("python_prefix", "archivematica.MCPClient.clientScripts");
    add_search_path({}, {});
    set_variable_default("DJANGO_SETTINGS_MODULE", "archivematica.MCPClient.settings.common");
    if (!client.empty() && is_there(client / "assets"))
      set_default("client_assets_directory", client / "assets/");
  }

  void add_ccp() {
    std::vector<fs::path> candidates;
    for (const std::string& folder : list_items(site_.search_path.value, ':'))
      candidates.emplace_back(folder);
    if (!site_.working_folder.value.empty()) candidates.emplace_back(site_.working_folder.value);
    std::erase_if(candidates,
                  [](const fs::path& folder) { return !is_there(folder / "worker/clientScripts"); });
    const fs::path root = candidates.empty() ? "/src" : candidates.front();
    add_table("ccp/client_modules.conf");
    set_default("client_assets_directory", (root / "worker/assets/").string());
    set_default("python", (root / ".venv/bin/python").string());
    set_default("python_prefix", "worker.clientScripts");
    add_search_path({root}, {});
    set_default("metrics_prefix", "worker_");
    set_variable_default("DJANGO_SETTINGS_MODULE", "settings.common");
  }

  // first, what PYTHONPATH says, last: each folder once.
  void add_search_path(std::vector<fs::path> folders, const std::vector<fs::path>& last) {
    const SiteStatement& stated = site_.search_path;
    const bool has_own = !folders.empty() || !last.empty();
    for (const std::string& folder : list_items(stated.value, ':')) folders.emplace_back(folder);
    folders.insert(folders.end(), last.begin(), last.end());
    const std::string list = joined(folders);
    if (list.empty()) return;
    std::string place = has_own ? where() : "";
    if (!stated.value.empty()) place += (place.empty() ? "" : "; and ") + stated.where;
    site_.set("python_path", {list, place});
  }

  // The folder of MCPClient in the virtual environment of an interpreter; empty where there is none.
  static fs::path packaged_client(const fs::path& python) {
    for (const fs::path& packages : site_packages(python)) {
      if (const fs::path client = packages / "archivematica/MCPClient"; is_there(client)) return client;
    }
    return {};
  }

  void add_catalog() {
    if (const auto assets = site_.settings.find("client_assets_directory"); assets != site_.settings.end()) {
      set_variable_default("XML_CATALOG_FILES",
                           (fs::path(assets->second.value) / "catalog/catalog.xml").string());
    } else {
      site_.warnings.push_back(
          "client_assets_directory, and XML_CATALOG_FILES in [environment]: the folder was not found beside "
          "the interpreter; set them where it is (…/site-packages/archivematica/MCPClient/assets/).");
    }
  }

  void add_database(const std::string& controller) {
    std::string list = controller;
    for (const std::string& file : site_.database_files) list += ":" + file;
    if (site_.database.empty()) {
      site_.warnings.push_back(
          "mariadb_settings: nothing that was read tells where the database is (a section [client] or [db], "
          "or "
          "variables): name the file that does, or give the worker its variables; `quire doctor "
          "--archivematica` "
          "tries it.");
    }
    set_default("mariadb_settings", list,
                site_.database.empty() ? "" : "; the database by " + site_.database);
  }

  void add_environment() {
    if (layout_ == SiteLayout::unknown && site_.scripts.empty()) return;
    set_default("pass_environment", site_environment());
    site_.settings.at("pass_environment").where =
        "of the variables that the worker is started with (EnvironmentFile= in its unit)";
  }

  SiteStatements& site_;
  SiteLayout layout_;
  std::string name_;
  std::string reason_ = "asked for";
};

}  // namespace

void add_layout(SiteStatements& site, SiteLayout layout) { LayoutAdder(site, layout).add(); }

}  // namespace quire
