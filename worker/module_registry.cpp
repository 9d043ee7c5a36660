#include "worker/module_registry.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <filesystem>
#include <mutex>
#include <set>
#include <string_view>

#include <sys/stat.h>
#include <unistd.h>

#include "worker/ini_file.hpp"
#include "worker/nearest.hpp"
#include "worker/privileges.hpp"
#include "worker/site_packages.hpp"

namespace quire {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view table_section = "supportedBatchCommands";

struct FileForm {
  std::string_view ending;
  ModuleKind kind;
};
constexpr std::array file_forms = {FileForm{".so", ModuleKind::native}, FileForm{".py", ModuleKind::python},
                                   FileForm{"", ModuleKind::program}};

bool is_file(const std::string& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

// Why a name cannot be that of a module; empty when it can. Names come from configuration and from users, and
// must not lead out of the folders.
std::string objection_to(const std::string& name) {
  const std::string subject = "\"" + name + "\" cannot be the name of a client script: ";
  if (name.empty()) return "The name of a client script is missing.";
  if (name.find('/') != name.npos)
    return subject + "it holds a slash; name the file alone, without its folder.";
  if (name[0] == '.' || name.find("..") != name.npos)
    return subject + "it begins with a dot or holds two in a row.";
  return "";
}

// The form that a name asks for by its ending; null where any will do.
const FileForm* form_of(std::string_view name) {
  for (const FileForm& form : file_forms) {
    if (!form.ending.empty() && name.ends_with(form.ending)) return &form;
  }
  return nullptr;
}

std::string without_ending(const std::string& name) {
  const FileForm* const form = form_of(name);
  return form == nullptr ? name : name.substr(0, name.size() - form->ending.size());
}

// The names of all modules in the folders, to find the one that was meant.
std::set<std::string> names_in(const std::vector<std::string>& folders) {
  std::set<std::string> names;
  for (const std::string& folder : folders) {
    std::error_code error;
    for (fs::directory_iterator file(folder, error), end; !error && file != end; file.increment(error)) {
      const fs::path& path = file->path();
      if (path.extension() == ".so" || path.extension() == ".py") {
        names.insert(path.stem());
      } else if (is_file(path) && access(path.c_str(), X_OK) == 0) {
        names.insert(path.filename());
      }
    }
  }
  return names;
}

// The folders of the package with this import prefix: below python_path, and in the interpreter's own virtual
// environment.
std::vector<std::string> package_folders(const Settings& settings, std::string prefix) {
  std::ranges::replace(prefix, '.', '/');
  std::vector<fs::path> roots = site_packages(settings.python);
  const std::vector<std::string> own = list_items(settings.python_path, ':');
  roots.insert(roots.begin(), own.begin(), own.end());
  std::vector<std::string> folders;
  for (const fs::path& root : roots) {
    if (std::error_code ignored; fs::is_directory(root / prefix, ignored))
      folders.push_back((root / prefix).string());
  }
  return folders;
}

}  // namespace

// Modules that were found, with the state of all the folders and files that this depends on: each batch asks,
// and to look for every possible file each time costs more than a small batch. Used by many threads.
class ModuleRegistry::Found {
 public:
  // The module, if the folders and its file are as they were. Nothing is kept of what is missing or refused.
  std::optional<Module> get(const std::string& name, const std::vector<std::string>& folders) const {
    const std::lock_guard lock(mutex_);
    const auto found = modules_.find(name);
    if (found == modules_.end() || states_of(found->second.module, folders) != found->second.states)
      return {};
    return found->second.module;
  }

  // looked_at: when the search for it began.
  void put(const std::string& name, const Module& module, const std::vector<std::string>& folders,
           std::time_t looked_at) {
    const States states = states_of(module, folders);
    // What was changed within this second may change once more and show the same time.
    const auto is_fresh = [looked_at](const State& state) { return state.changed + 1 >= looked_at; };
    const std::lock_guard lock(mutex_);
    if (std::ranges::any_of(states, is_fresh)) {
      modules_.erase(name);
    } else {
      modules_.insert_or_assign(name, Entry{module, states});
    }
  }

 private:
  // The time of change covers name, owner, mode and text of a file, and what is in a folder.
  struct State {
    ino_t inode = 0;
    std::time_t changed = 0;
    long nanoseconds = 0;
    bool operator==(const State&) const = default;
  };
  using States = std::vector<State>;
  struct Entry {
    Module module;
    States states;
  };

  static State state_of(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return {};
    return {status.st_ino, status.st_ctim.tv_sec, status.st_ctim.tv_nsec};
  }
  static States states_of(const Module& module, const std::vector<std::string>& folders) {
    States states;
    for (const std::string& folder : folders) states.push_back(state_of(folder));
    states.push_back(state_of(module.path));
    return states;
  }

  mutable std::mutex mutex_;
  std::map<std::string, Entry> modules_;
};

ModuleRegistry::ModuleRegistry(const Settings& settings)
    : tables_(settings.client_modules),
      folders_(list_items(settings.client_scripts, ':')),
      import_prefix_(settings.python_prefix),
      found_(std::make_shared<Found>()) {
  if (!import_prefix_.empty() && !import_prefix_.ends_with('.')) import_prefix_ += '.';
  if (!import_prefix_.empty()) package_folders_ = package_folders(settings, import_prefix_);
  for (const std::string& table : list_items(tables_, ':')) read_table(table);
}

void ModuleRegistry::read_table(const std::string& path) {
  const IniFile file = read_ini_file(path);
  const auto is_table = [](const IniSection& section) { return section.name == table_section; };
  if (std::none_of(file.sections.begin(), file.sections.end(), is_table)) {
    throw ConfigurationError(path + ": this is not a module table; it has no section [" +
                             std::string(table_section) + "] with lines FUNCTION = MODULE.");
  }
  std::map<std::string, std::size_t> lines;
  for (const IniEntry& entry : file.entries) {
    if (entry.section != table_section) continue;
    const std::string function = lower_case(entry.key);
    const auto [other, is_new] = lines.emplace(function, entry.line);
    if (!is_new) {
      throw ConfigurationError(file.at(entry.line) + ": function " + function + " stands already on line " +
                               std::to_string(other->second) +
                               " (capitals do not matter); remove one of the two.");
    }
    if (const std::string objection = objection_to(entry.value); !objection.empty()) {
      throw ConfigurationError(file.at(entry.line) + ": " + objection);
    }
    if (!modules_.contains(function)) functions_.push_back(function);
    modules_[function] = entry.value;
  }
}

const std::vector<std::string>& ModuleRegistry::functions() const { return functions_; }

const std::string& ModuleRegistry::module_name(const std::string& function) const {
  const auto module = modules_.find(lower_case(function));
  if (module != modules_.end()) return module->second;
  throw NoSuchModule("Function " + function + " is not in the module table " + tables_ + ".");
}

Module ModuleRegistry::find(const std::string& function) const {
  const std::string& name = module_name(function);
  if (std::optional<Module> known = found_->get(name, folders_)) return *std::move(known);
  const std::time_t looked_at = std::time(nullptr);
  Module module = find_module(name);
  if (!module.path.empty()) found_->put(name, module, folders_, looked_at);
  return module;
}

Module ModuleRegistry::find_function_or_module(const std::string& name) const {
  return modules_.contains(lower_case(name)) ? find(name) : find_module(name);
}

Module ModuleRegistry::find_module(const std::string& name) const {
  if (const std::string objection = objection_to(name); !objection.empty()) throw NoSuchModule(objection);
  std::vector<Module> files = files_of(name);
  if (!import_prefix_.empty() && form_of(name) == nullptr) {
    const auto is_other = [](const Module& file) { return file.kind != ModuleKind::python; };
    const bool has_python = !std::ranges::all_of(files, is_other);
    if (has_python || is_in_package(name)) std::erase_if(files, is_other);
  }
  if (files.size() > 1) {
    const bool differ = files[0].kind != files[1].kind;
    throw NoSuchModule("Client script " + name + " exists twice, as " + files[0].path + " and as " +
                       files[1].path + "; remove or rename one of the two" +
                       (differ ? ", or say which with its ending in the module table." : "."));
  }
  if (files.size() == 1) {
    const std::string reason = ::geteuid() == 0 ? reason_not_to_run_as_root(files[0].path) : "";
    if (!reason.empty()) throw NoSuchModule("Client script " + name + ": " + reason);
    return files[0];
  }
  if (const FileForm* const form = form_of(name);
      !import_prefix_.empty() && (form == nullptr || form->kind == ModuleKind::python)) {
    return {without_ending(name), ModuleKind::python, "", import_prefix_ + without_ending(name)};
  }
  refuse_missing(name);
}

std::vector<Module> ModuleRegistry::files_of(const std::string& name) const {
  const FileForm* const only = form_of(name);
  const std::string stem = without_ending(name);
  std::vector<Module> files;
  for (const std::string& folder : folders_) {
    for (const FileForm& form : file_forms) {
      if (only != nullptr && only->kind != form.kind) continue;
      const std::string path = (fs::path(folder) / (stem + std::string(form.ending))).string();
      if (!is_file(path) || (form.kind == ModuleKind::program && access(path.c_str(), X_OK) != 0)) continue;
      // A folder may be listed twice, also under two names.
      std::error_code ignored;
      const auto is_same = [&](const Module& other) { return fs::equivalent(other.path, path, ignored); };
      if (std::any_of(files.begin(), files.end(), is_same)) continue;
      files.push_back({stem, form.kind, path, form.kind == ModuleKind::python ? import_prefix_ + stem : ""});
    }
  }
  return files;
}

bool ModuleRegistry::is_in_package(const std::string& name) const {
  return std::ranges::any_of(package_folders_,
                             [&](const std::string& folder) { return is_file(folder + name + ".py"); });
}

void ModuleRegistry::refuse_missing(const std::string& name) const {
  std::string searched;
  for (const std::string& folder : folders_) {
    if (const fs::path file = fs::path(folder) / name; is_file(file)) {
      throw NoSuchModule("Client script " + file.string() + " is not executable: make it so with chmod +x.");
    }
    std::error_code ignored;
    if (!searched.empty()) searched += ", ";
    searched += folder;
    if (!fs::is_directory(folder, ignored)) searched += " (no such folder)";
  }
  throw NoSuchModule("There is no client script " + name +
                     (form_of(name) == nullptr ? " (.so, .py or an executable)" : "") + " in " + searched +
                     "." + did_you_mean(without_ending(name), names_in(folders_)));
}

}  // namespace quire
