#include <sys/wait.h>

#include <cstdlib>

#include <doctest/doctest.h>

#include <quire/client_script.hpp>

#include "tests/support/loaded_script.hpp"
#include "tests/support/temporary_folder.hpp"

using quire::Job;
using quire::test::LoadedScript;
using quire::test::read_file;
using quire::test::TemporaryFolder;

namespace {

struct Run {
  int status;
  std::string text;  // stdout and stderr
};

// What an author of scripts would run, in the folder of the test.
class Author {
 public:
  Run run(const std::string& command) const {
    const std::string log = folder_ / "log";
    const std::string line = "cd '" + folder_.path().string() + "' && LC_ALL=C timeout 300 " + command;
    const int status = std::system((line + " >'" + log + "' 2>&1 </dev/null").c_str());
    return {WEXITSTATUS(status), read_file(log)};
  }
  Run cmake(const std::string& arguments) const { return run(CMAKE_COMMAND " " + arguments); }

  // The package of this build, in a prefix of its own.
  void install_quire() const {
    require(cmake("--install " BUILD_FOLDER " --component development --prefix installed"));
  }

  // Configures a project of tests/outside_plugin in the folder "plugin".
  void configure(const std::string& project) const {
    require(cmake("-S " SOURCE_FOLDER "/" + project +
                  " -B plugin -DCMAKE_PREFIX_PATH=\"$PWD/installed\" -DCMAKE_CXX_COMPILER=" CXX_COMPILER));
  }

  std::string plugin(const std::string& name) const { return folder_ / "plugin" / (name + ".so"); }

 private:
  static void require(const Run& run) {
    INFO(run.text);
    REQUIRE(run.status == 0);
  }

  TemporaryFolder folder_;
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("outside plugin") {
  const Author author;
  author.install_quire();

  SUBCASE("a script built against the installed package loads and runs") {
    author.configure(".");
    const Run build = author.cmake("--build plugin");
    INFO(build.text);
    REQUIRE(build.status == 0);

    const LoadedScript script(author.plugin("greet"));
    CHECK(*script.find<const int>("quire_interface_version") == quire::interface_version);
    CHECK(script.find<int()>("concurrent_instances")() == 2);
    CHECK(script.run({"World", "de"}).output() == "Guten Morgen, World\n");
    const Job job = script.run({"World", "fr"});
    CHECK(job.int_code() == 1);
    CHECK(job.error() == "greet does not speak \"fr\".\n");

    // And the worker's own way: loaded by its host, run in a process of its own.
    const Run tried = author.run(QUIRE_PROGRAM " try --client-scripts \"$PWD/plugin\" greet World de");
    CHECK(tried.text == "Guten Morgen, World\n");
    CHECK(tried.status == 0);
  }

  SUBCASE("a script that does not keep the contract is refused when it is built") {
    author.configure("refused");
    struct Refusal {
      std::string script;
      std::string message;
    };
    for (const auto& [script, message] :
         {Refusal{"wrong_result", "wrong_result.cpp:3:5: error: "},
          Refusal{"wrong_instances", "wrong_instances.cpp:5:6: error: "},
          Refusal{"other_call", "required symbol `call' not defined"},
          Refusal{"no_call", "required symbol `call' not defined"},
          Refusal{"missing_symbol", "undefined reference to `convert(quire::Job&)'"}}) {
      const Run build = author.cmake("--build plugin --target script_" + script);
      CAPTURE(script);
      CAPTURE(build.text);
      CHECK(build.status != 0);
      CHECK(contains(build.text, message));
    }
  }
}
