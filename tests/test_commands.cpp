// The command quire itself, run as its users run it.
#include <doctest/doctest.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "tests/support/temporary_folder.hpp"
#include "worker/settings.hpp"

using namespace quire;
namespace fs = std::filesystem;

namespace {

struct Ended {
  int code = -1;
  std::string text;  // standard output, then what was written to stderr in between
};

// Runs a shell's command line, in which `quire` is the one that was built, with nothing of our environment.
Ended run(const std::string& line) {
  const fs::path bin = fs::path(QUIRE_PROGRAM).parent_path();
  const std::string command = "env -i PATH='" + bin.string() +
                              ":/usr/bin:/bin' timeout 120 sh -c \"$(cat <<'END'\n" + line +
                              "\nEND\n)\" 2>&1 </dev/null";
  std::FILE* const pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  Ended ended;
  std::array<char, 4096> part;
  while (const std::size_t size = std::fread(part.data(), 1, part.size(), pipe))
    ended.text.append(part.data(), size);
  ended.code = WEXITSTATUS(::pclose(pipe));
  return ended;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// The line that follows this one, without the white space before it.
std::string line_after(const std::string& text, const std::string& line) {
  REQUIRE(has(text, line + "\n"));
  const std::size_t begin = text.find_first_not_of(" ", text.find(line + "\n") + line.size() + 1);
  return text.substr(begin, text.find('\n', begin) - begin);
}

}  // namespace

TEST_CASE("commands: which one") {
  SUBCASE("--help lists the commands") {
    const Ended help = run("quire --help");
    CHECK(help.code == 0);
    for (const char* const command : {"worker", "submit", "tasks", "status", "doctor", "try", "scripts"}) {
      CHECK(has(help.text, std::string("\n  ") + command + " "));
    }
  }
  SUBCASE("every command explains itself, with an example") {
    for (const std::string command :
         {"worker", "submit", "try", "scripts list", "scripts check", "scripts new", "tasks list",
          "tasks show", "tasks watch", "tasks export", "tasks cancel", "tasks retry", "tasks clear", "status",
          "doctor"}) {
      CAPTURE(command);
      const Ended help = run("quire " + command + " --help");
      CHECK(help.code == 0);
      CHECK(help.text.starts_with("Usage: quire " + command));
      CHECK(has(help.text, "\nExample:\n  quire "));
      CHECK(has(help.text, "--state-directory FOLDER"));
      CHECK(std::ranges::count(help.text, '\n') < 70);
    }
    for (const std::string command : {"", "tasks ", "scripts "}) {
      CAPTURE(command);
      const Ended help = run("quire " + command + "--help");
      CHECK(help.code == 0);
      CHECK(has(help.text, "\nExample:\n  quire " + command));
    }
  }
  SUBCASE("--version tells the version") {
    CHECK(run("quire --version").text == "quire " QUIRE_VERSION "\n");
  }
  SUBCASE("--print-configuration prints the documented file") {
    CHECK(run("quire --print-configuration").text == documented_configuration());
  }
  SUBCASE("no command is wrong usage, and shows the help") {
    const Ended ended = run("quire");
    CHECK(ended.code == 64);
    CHECK(ended.text.starts_with("Usage: quire COMMAND"));
  }
  SUBCASE("a command that does not exist is refused, with the one that was meant") {
    const Ended ended = run("quire workr");
    CHECK(ended.code == 64);
    CHECK(ended.text ==
          "quire: There is no command \"workr\". Did you mean worker? `quire --help` lists them.\n");
  }
  SUBCASE("wrong usage is 64 and wrong configuration 78, each with one line that names the command") {
    const Ended usage = run("quire worker --recrod x");
    CHECK(usage.code == 64);
    CHECK(usage.text ==
          "quire worker: There is no option --recrod. Did you mean --record? --help lists them.\n");
    const Ended configuration = run("QUIRE_WORKERS=many quire worker");
    CHECK(configuration.code == 78);
    CHECK(configuration.text ==
          "quire worker: QUIRE_WORKERS: \"many\" is not a whole number from 0 to 10000.\n");
  }
}

TEST_CASE("commands: where the output goes") {
  SUBCASE("a reader that goes away ends nothing noisily") {
    const Ended ended = run("(quire --print-configuration; echo $? >&2) | true");
    CHECK(ended.text == "0\n");
  }
  SUBCASE("output that cannot be written is an error") {
    const Ended ended = run("quire --print-configuration > /dev/full");
    CHECK(ended.code == 70);
    CHECK(ended.text == "quire: The output could not be written.\n");
  }
}

TEST_CASE("commands: scripts list") {
  const test::TemporaryFolder folder;
  folder.write("table.conf", "[supportedBatchCommands]\nA_v0.0 = there\nb = gone\n");
  folder.write("there.py", "def call(jobs): pass\n");
  const std::string options =
      " --client-modules " + (folder / "table.conf").string() + " --client-scripts " + folder.path().string();
  SUBCASE("every function is shown with its file, or why there is none") {
    const Ended ended = run("quire scripts list" + options);
    CHECK(ended.code == 0);
    CHECK(ended.text ==
          "FUNCTION  MODULE  KIND     FILE\n"
          "a_v0.0    there   python   " +
              (folder / "there.py").string() +
              "\n"
              "b         gone    error    There is no client script gone (.so, .py or an executable) in " +
              folder.path().string() + ".\nClient scripts are looked for in " + folder.path().string() +
              "; those that ship are in " + fs::path(QUIRE_PROGRAM).parent_path().parent_path().string() +
              "/lib/quire/clientScripts.\n");
  }
  SUBCASE("an empty table says what to do") {
    folder.write("table.conf", "[supportedBatchCommands]\n");
    const Ended ended = run("quire scripts list" + options);
    CHECK(ended.code == 0);
    CHECK(has(ended.text,
              (folder / "table.conf").string() + " has no function: write a line FUNCTION = MODULE"));
  }
  SUBCASE("--json gives a line for each") {
    const Ended ended = run("quire scripts list --json" + options);
    CHECK(has(ended.text, R"({"function":"a_v0.0","module":"there","kind":"python","file":")"));
    CHECK(has(ended.text, R"({"function":"b","module":"gone","error":"There is no client script)"));
  }
  SUBCASE("a word that is no option is refused") { CHECK(run("quire scripts list a").code == 64); }
}

TEST_CASE("commands: scripts check") {
  const test::TemporaryFolder folder;
  folder.write("table.conf", "[supportedBatchCommands]\nfirst = good\nsecond = good\n");
  folder.write("good.py", "def call(jobs): pass\n\ndef concurrent_instances(): return 3\n");
  folder.write("bad.py", "import there_is_no_such_module\n");
  const std::string options =
      " --client-modules " + (folder / "table.conf").string() + " --client-scripts " + folder.path().string();
  SUBCASE("without names each module of the table is loaded once") {
    const Ended ended = run("quire scripts check" + options);
    CHECK(ended.code == 0);
    CHECK(ended.text == "ok      first: python, " + (folder / "good.py").string() +
                            ", up to 3 processes a batch\n1 of 1 script loads.\n");
  }
  SUBCASE("a script that does not load is told with the reason, and the exit code is 1") {
    const Ended ended = run("quire scripts check bad good gone" + options);
    CHECK(ended.code == 1);
    CHECK(has(ended.text, "FAILED  bad: "));
    CHECK(has(ended.text, "there_is_no_such_module"));
    CHECK(has(ended.text, "ok      good: python, "));
    CHECK(has(ended.text, "FAILED  gone: There is no client script gone"));
    CHECK(has(ended.text, "1 of 3 scripts load.\n"));
  }
}

TEST_CASE("commands: scripts new") {
  const test::TemporaryFolder folder;
  const std::string directory = " --directory " + folder.path().string();
  SUBCASE("a new script runs at once, by the command line that is printed") {
    for (const char* const language : {"--python", "--program"}) {
      const std::string name = std::string("Greet_") + (language + 2);
      const Ended made = run("quire scripts new " + name + " " + language + directory);
      CHECK(made.code == 0);
      CHECK(has(made.text, "\n  greet_" + name.substr(6) + " = " + name + "\n"));
      const Ended tried = run(line_after(made.text, "Try it:"));
      CHECK(tried.text == "Hello, World\n");
      CHECK(tried.code == 0);
    }
  }
  SUBCASE("a script in C++ comes with its build") {
    const Ended made = run("quire scripts new greet --cpp" + directory);
    CHECK(made.code == 0);
    CHECK(has(test::read_file(folder / "greet.cpp"), "void call(quire::Jobs jobs)"));
    CHECK(has(test::read_file(folder / "CMakeLists.txt"), "\nquire_add_client_script(greet greet.cpp)\n"));
    CHECK(line_after(made.text, "Build it:").starts_with("cmake -S " + folder.path().string()));
    const Ended second = run("quire scripts new other --cpp" + directory);
    CHECK(has(second.text, "Add to " + (folder / "CMakeLists.txt").string() +
                               ":\n  quire_add_client_script(other other.cpp)\n"));
    CHECK_FALSE(has(test::read_file(folder / "CMakeLists.txt"), "other"));
  }
  SUBCASE("nothing is overwritten, nor given a second script of the same name") {
    for (const char* const file : {"greet.cpp", "greet.py", "greet.so", "greet"}) {
      folder.write(file, "mine");
      const Ended ended = run("quire scripts new greet --python" + directory);
      CHECK(ended.code == 64);
      CHECK(ended.text == "quire scripts: " + (folder / file).string() +
                              " is there already; choose another name or --directory.\n");
      CHECK(test::read_file(folder / file) == "mine");
      fs::remove(folder / file);
    }
  }
  SUBCASE("a missing folder is made, and one with spaces is quoted") {
    const Ended made =
        run("quire scripts new greet --program --directory '" + (folder / "a b/c").string() + "'");
    CHECK(made.code == 0);
    CHECK(run(line_after(made.text, "Try it:")).text == "Hello, World\n");
  }
  SUBCASE("the language and one usable name are needed") {
    CHECK(run("quire scripts new greet" + directory).code == 64);
    CHECK(run("quire scripts new greet --cpp --python" + directory).code == 64);
    CHECK(run("quire scripts new --cpp" + directory).code == 64);
    CHECK(run("quire scripts new a b --cpp" + directory).code == 64);
    for (const char* const name : {"a.b", "1a", "a-b", "../a", "''"}) {
      CHECK(run("quire scripts new --cpp" + directory + " " + name).code == 64);
    }
    CHECK(fs::is_empty(folder.path()));
  }
}
