#include <doctest/doctest.h>

#include <filesystem>

#include "tests/support/temporary_folder.hpp"
#include "worker/module_registry.hpp"

using namespace quire;
namespace fs = std::filesystem;

namespace {

// A module table and two folders with scripts.
struct Site {
  Site() {
    settings.client_modules =
        folder.write("table.conf", "[supportedBatchCommands]\nHello_v0.0 = hello\nother = hello\n");
    settings.client_scripts = (folder / "one").string() + ":" + (folder / "two").string();
    fs::create_directory(folder / "one");
    fs::create_directory(folder / "two");
  }

  std::string add(const std::string& name, bool executable = false) const {
    const std::string path = folder.write(name, "");
    if (executable) fs::permissions(path, fs::perms::owner_exec, fs::perm_options::add);
    return path;
  }

  // Why the table is refused, without the name of its file.
  std::string refusal(std::string_view table) {
    settings.client_modules = folder.write("table.conf", table);
    try {
      const ModuleRegistry modules(settings);
      return "";
    } catch (const ConfigurationError& error) {
      return std::string(error.what()).substr(settings.client_modules.size() + 1);
    }
  }

  // Why there is no such module; empty when there is one.
  std::string absence(const std::string& name) const {
    try {
      ModuleRegistry(settings).find_module(name);
      return "";
    } catch (const NoSuchModule& error) {
      return error.what();
    }
  }

  test::TemporaryFolder folder;
  Settings settings;
};

}  // namespace

TEST_CASE("module_registry: the table") {
  Site site;
  SUBCASE("functions are in lower case and in the order of the table") {
    CHECK(ModuleRegistry(site.settings).functions() == std::vector<std::string>{"hello_v0.0", "other"});
  }
  SUBCASE("a function is found whatever its capitals") {
    const std::string path = site.add("one/hello.so");
    const ModuleRegistry modules(site.settings);
    CHECK(modules.module_name("HELLO_v0.0") == "hello");
    CHECK(modules.find("HELLO_v0.0").path == path);
    CHECK(modules.find("hello_v0.0").name == "hello");
  }
  SUBCASE("a function that is not in the table is refused by the name of the table") {
    site.add("one/hello.so");
    CHECK_THROWS_WITH_AS(
        ModuleRegistry(site.settings).find("hello"),
        ("Function hello is not in the module table " + site.settings.client_modules + ".").c_str(),
        NoSuchModule);
  }
  SUBCASE("a function is found as such, and a module where there is no such function") {
    site.add("one/hello.so");
    site.add("one/other.so");
    const ModuleRegistry modules(site.settings);
    CHECK(modules.find_function_or_module("other").name == "hello");
    CHECK(modules.find_function_or_module("hello").name == "hello");
    CHECK_THROWS_AS(modules.find_function_or_module("neither"), NoSuchModule);
  }
  SUBCASE("a missing script does not keep the table from being read") {
    CHECK(ModuleRegistry(site.settings).functions().size() == 2);
  }
  SUBCASE("other sections are not functions") {
    site.settings.client_modules =
        site.folder.write("table.conf", "[other]\nx = y\n[supportedBatchCommands]\na = b\n");
    CHECK(ModuleRegistry(site.settings).functions() == std::vector<std::string>{"a"});
  }
  SUBCASE("a table may be empty") { CHECK(site.refusal("[supportedBatchCommands]\n") == ""); }
  SUBCASE("a file without the section is no table") {
    CHECK(site.refusal("[quire]\na = b\n").find("no section [supportedBatchCommands]") != std::string::npos);
    CHECK(site.refusal("").find("no section [supportedBatchCommands]") != std::string::npos);
  }
  SUBCASE("a function that stands twice is refused with both lines, also when only its capitals differ") {
    CHECK(site.refusal("[supportedBatchCommands]\nA = x\nb = x\na = y\n") ==
          "4: function a stands already on line 2 (capitals do not matter); remove one of the two.");
    CHECK(site.refusal("[supportedBatchCommands]\na = x\na = y\n").starts_with("3: "));
  }
  SUBCASE("of several tables the last one with a function counts, and each may bring functions") {
    const std::string over =
        site.folder.write("over.conf", "[supportedBatchCommands]\nHELLO_v0.0 = a.so\nnew = b\n");
    site.settings.client_modules += ":" + over;
    const ModuleRegistry modules(site.settings);
    CHECK(modules.functions() == std::vector<std::string>{"hello_v0.0", "other", "new"});
    CHECK(modules.module_name("hello_v0.0") == "a.so");
    CHECK(modules.module_name("other") == "hello");
    site.settings.client_modules += ":" + site.folder.write("none.conf", "[other]\n");
    CHECK_THROWS_AS(ModuleRegistry(site.settings), ConfigurationError);
  }
  SUBCASE("a module's name cannot lead out of the folders") {
    CHECK(site.refusal("[supportedBatchCommands]\na = ../b\n").starts_with("2: \"../b\" cannot be the name"));
    CHECK(site.refusal("[supportedBatchCommands]\na =\n") == "2: The name of a client script is missing.");
  }
}

TEST_CASE("module_registry: the folders") {
  Site site;
  SUBCASE("the file's form tells the kind") {
    const std::string native = site.add("one/a.so");
    const std::string python = site.add("two/b.py");
    const std::string program = site.add("two/c", true);
    const ModuleRegistry modules(site.settings);
    CHECK(modules.find_module("a").kind == ModuleKind::native);
    CHECK(modules.find_module("a").path == native);
    CHECK(modules.find_module("a").import_name == "");
    CHECK(modules.find_module("b").kind == ModuleKind::python);
    CHECK(modules.find_module("b").path == python);
    CHECK(modules.find_module("b").import_name == "b");
    CHECK(modules.find_module("c").kind == ModuleKind::program);
    CHECK(modules.find_module("c").path == program);
  }
  SUBCASE("a script that arrives later is found, and one that went is not") {
    const ModuleRegistry modules(site.settings);
    CHECK_THROWS_AS(modules.find_module("a"), NoSuchModule);
    const std::string path = site.add("one/a.so");
    CHECK(modules.find_module("a").path == path);
    fs::remove(path);
    CHECK_THROWS_AS(modules.find_module("a"), NoSuchModule);
  }
  SUBCASE("two files for one name are refused, and both are named") {
    const std::string first = site.add("one/a.so");
    for (const auto& [second, executable] :
         {std::pair{"one/a.py", false}, {"two/a.so", false}, {"two/a", true}}) {
      const std::string other = site.add(second, executable);
      CHECK(site.absence("a") == "Client script a exists twice, as " + first + " and as " + other +
                                     "; remove or rename one of the two" +
                                     (second == std::string("two/a.so")
                                          ? "."
                                          : ", or say which with its ending in the module table."));
      fs::remove(other);
    }
    CHECK(site.absence("a") == "");
  }
  SUBCASE("a folder or a plain file of the same name is not a second script") {
    site.add("one/a.so");
    fs::create_directory(site.folder / "two/a");
    CHECK(site.absence("a") == "");
    fs::remove(site.folder / "two/a");
    site.add("two/a");
    CHECK(site.absence("a") == "");
  }
  SUBCASE("a folder that is listed twice has its scripts once") {
    site.add("one/a.so");
    fs::create_directory_symlink(site.folder / "one", site.folder / "link");
    site.settings.client_scripts +=
        ":" + (site.folder / "one").string() + "/:" + (site.folder / "link").string();
    CHECK(site.absence("a") == "");
  }
  SUBCASE("a program that is not executable is named, with what to do") {
    const std::string path = site.add("two/a");
    CHECK(site.absence("a") == "Client script " + path + " is not executable: make it so with chmod +x.");
  }
  SUBCASE("a missing script is told with the folders searched and the name that was meant") {
    site.add("two/checksum.so");
    site.add("one/notes.txt");
    site.settings.client_scripts += ":/nonexistent/folder";
    CHECK(site.absence("checksums") == "There is no client script checksums (.so, .py or an executable) in " +
                                           (site.folder / "one").string() + ", " +
                                           (site.folder / "two").string() +
                                           ", /nonexistent/folder (no such folder). Did you mean checksum?");
    CHECK(site.absence("note").find("Did you mean") == std::string::npos);
  }
  SUBCASE("a name that leads out of the folders is refused even where the file exists") {
    site.add("two/a.so");
    for (const std::string name : {"", "../two/a", "/etc/passwd", ".hidden", "..", "a..b", "sub/a"}) {
      CAPTURE(name);
      const std::string sentence = site.absence(name);
      CHECK((sentence.find("cannot be the name") != std::string::npos ||
             sentence.find("missing") != std::string::npos));
    }
  }
  SUBCASE("an ending says which of two files is meant, and a native module is never run as a program") {
    const std::string native = site.add("one/a.so", true);
    const std::string python = site.add("two/a.py");
    const ModuleRegistry modules(site.settings);
    CHECK(modules.find_module("a.so").path == native);
    CHECK(modules.find_module("a.so").kind == ModuleKind::native);
    CHECK(modules.find_module("a.so").name == "a");
    CHECK(modules.find_module("a.py").path == python);
    CHECK(site.absence("a").find("exists twice") != std::string::npos);
    fs::remove(python);
    CHECK(site.absence("a.py").starts_with("There is no client script a.py in "));
  }
}

TEST_CASE("module_registry: a Python prefix") {
  Site site;
  site.settings.python_prefix = "worker.clientScripts";
  SUBCASE("a module without a file is known by its import name, with or without the prefix's final dot") {
    CHECK(ModuleRegistry(site.settings).find("hello_v0.0").import_name == "worker.clientScripts.hello");
    site.settings.python_prefix += ".";
    const Module module = ModuleRegistry(site.settings).find("hello_v0.0");
    CHECK(module.kind == ModuleKind::python);
    CHECK(module.import_name == "worker.clientScripts.hello");
    CHECK(module.path == "");
    CHECK(module.key() == "worker.clientScripts.hello");
  }
  SUBCASE("a Python file has both its path and its import name") {
    const std::string path = site.add("one/hello.py");
    const Module module = ModuleRegistry(site.settings).find("hello_v0.0");
    CHECK(module.path == path);
    CHECK(module.import_name == "worker.clientScripts.hello");
  }
  SUBCASE("native modules and programs go first, unless the ending says otherwise") {
    site.add("one/hello.so");
    CHECK(ModuleRegistry(site.settings).find("hello_v0.0").kind == ModuleKind::native);
    const Module module = ModuleRegistry(site.settings).find_module("hello.py");
    CHECK(module.kind == ModuleKind::python);
    CHECK(module.import_name == "worker.clientScripts.hello");
    CHECK(site.absence("other.so").starts_with("There is no client script other.so in "));
  }
  // A site's own table says copy_recursive, and means its own, though Quire ships one of that name.
  SUBCASE("where there is a Python one, a name without an ending is that") {
    site.add("one/hello.so");
    const std::string path = site.add("two/hello.py");
    CHECK(ModuleRegistry(site.settings).find("hello_v0.0").path == path);
    CHECK(ModuleRegistry(site.settings).find_module("hello.so").kind == ModuleKind::native);
    fs::remove(path);
    CHECK(ModuleRegistry(site.settings).find("hello_v0.0").kind == ModuleKind::native);
  }
  SUBCASE("the same where it is in the package that the prefix leads to") {
    site.add("one/hello.so");
    const std::string root = (site.folder / "code");
    fs::create_directories(site.folder / "code/worker/clientScripts");
    const std::string file = site.folder.write("code/worker/clientScripts/hello.py", "");
    site.settings.python_path = "/nonexistent:" + root;
    const Module module = ModuleRegistry(site.settings).find("hello_v0.0");
    CHECK(module.kind == ModuleKind::python);
    CHECK(module.import_name == "worker.clientScripts.hello");
    // In a virtual environment's own folder.
    site.settings.python_path.clear();
    fs::create_directories(site.folder / "venv/lib/python3.9/site-packages/worker/clientScripts");
    fs::rename(file, site.folder / "venv/lib/python3.9/site-packages/worker/clientScripts/hello.py");
    CHECK(ModuleRegistry(site.settings).find("hello_v0.0").kind == ModuleKind::native);
    site.settings.python = site.folder / "venv/bin/python";
    CHECK(ModuleRegistry(site.settings).find("hello_v0.0").kind == ModuleKind::python);
  }
}
