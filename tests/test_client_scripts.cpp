#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include <doctest/doctest.h>

#include "clientScripts/run_tool.hpp"
#include "tests/support/loaded_script.hpp"
#include "tests/support/temporary_folder.hpp"

namespace fs = std::filesystem;
using quire::Job;
using quire::test::LoadedScript;
using quire::test::read_file;
using quire::test::TemporaryFolder;

namespace {

LoadedScript load(const std::string& name) { return LoadedScript(CLIENT_SCRIPTS "/" + name + ".so"); }

}  // namespace

TEST_CASE("client scripts") {
  const TemporaryFolder folder;
  const std::string file = folder.write("file", "content");

  SUBCASE("every module that ships was built against the interface of this worker") {
    for (const char* name : {"hello", "checksum", "copy", "move", "create_directory", "create_directory_tree",
                             "set_file_permission", "test", "check_for_manual_normalization",
                             "check_for_submission_documentation", "check_transfer_directory_for_objects",
                             "copy_recursive", "copy_submission_docs", "copy_thumbnails_to_dip_directory",
                             "determine_aip_version", "is_maildir_aip", "json_metadata_to_csv", "move_or_merge",
                             "remove_directories", "remove_hidden_files_and_directories",
                             "restructure_for_compliance_maildir", "verify_sip_compliance",
                             "verify_transfer_compliance"}) {
      CAPTURE(name);
      const LoadedScript script = load(name);
      REQUIRE(script.defines("quire_interface_version"));
      CHECK(*script.find<const int>("quire_interface_version") == quire::interface_version);
    }
  }

  SUBCASE("the file commands run one after another, each of their jobs for itself") {
    for (const char* name :
         {"copy", "move", "create_directory", "create_directory_tree", "set_file_permission", "test"}) {
      CAPTURE(name);
      const LoadedScript script = load(name);
      CHECK_FALSE(script.defines("concurrent_instances"));
      CHECK(script.find<bool()>("independent_jobs")());
    }
  }

  SUBCASE("the first job with files ends the check of its batch for objects: later ones answer 0") {
    std::filesystem::create_directory(folder / "empty");
    const std::string full = folder.path();
    const std::string empty = folder / "empty";
    std::vector<Job> jobs{{"check", "1", {empty}}, {"check", "2", {full}}, {"check", "3", {empty}}};
    const LoadedScript script = load("check_transfer_directory_for_objects");
    CHECK_FALSE(script.defines("concurrent_instances"));
    script.call(jobs);
    CHECK(jobs[0].int_code() == 1);
    CHECK(jobs[1].int_code() == 0);
    CHECK(jobs[2].int_code() == 0);
  }

  SUBCASE("a path is not cut off at a zero byte") {
    const std::string cut = folder.path().string() + std::string("\0x", 2);
    CHECK(load("remove_directories").run({cut}).output() == "Directory does not exist: " + cut + "\n");
    CHECK(load("move_or_merge").run({cut, folder / "moved"}).int_code() == 0);
    CHECK(load("copy_recursive").run({cut, folder / "copied"}).output() == "Execution failed:");
    CHECK(load("verify_sip_compliance").run({cut}).int_code() == 1);
    CHECK(fs::exists(file));
    CHECK_FALSE(fs::exists(folder / "moved"));
  }

  SUBCASE("a JSON file that would be overwritten by its own table stays when there is no table") {
    const std::string path = folder.write("m.csv", R"({"a": 1})");
    CHECK(load("json_metadata_to_csv").run({"uuid", path}).int_code() == 1);
    CHECK(read_file(path) == R"({"a": 1})");
  }

  SUBCASE("copy copies a file and keeps the old one") {
    const Job job = load("copy").run({file, folder / "copy"});
    CHECK(job.int_code() == 0);
    CHECK(read_file(folder / "copy") == "content");
    CHECK(fs::exists(file));
    const Job missing = load("copy").run({folder / "missing", folder / "copy"});
    CHECK(missing.int_code() == 1);
    CHECK(missing.error().starts_with("cp: cannot stat '"));
  }

  SUBCASE("move renames a file") {
    CHECK(load("move").run({file, folder / "moved"}).int_code() == 0);
    CHECK(read_file(folder / "moved") == "content");
    CHECK_FALSE(fs::exists(file));
  }

  SUBCASE("create_directory makes a folder with the mode that is asked for") {
    CHECK(load("create_directory").run({"-m", "710", folder / "made"}).int_code() == 0);
    CHECK(fs::status(folder / "made").permissions() == fs::perms(0710));
  }

  SUBCASE("create_directory_tree draws the folder") {
    const Job job = load("create_directory_tree").run({folder.path()});
    CHECK(job.int_code() == 0);
    CHECK(job.output() == folder.path().string() + "\n└── file\n\n1 directory, 1 file\n");
  }

  SUBCASE("set_file_permission changes the mode") {
    CHECK(load("set_file_permission").run({"640", file}).int_code() == 0);
    CHECK(fs::status(file).permissions() == fs::perms(0640));
  }

  SUBCASE("test answers with the program's three statuses") {
    CHECK(load("test").run({"-f", file}).int_code() == 0);
    CHECK(load("test").run({"-d", file}).int_code() == 1);
    CHECK(load("test").run({"1", "-gt", "x"}).int_code() == 2);
  }

  SUBCASE("hello greets, and says what it misses") {
    CHECK(load("hello").run({"World"}).output() == "Hello, World\n");
    const Job job = load("hello").run({});
    CHECK(job.int_code() == 1);
    CHECK(job.error() == "function needs argument 1 and was given 0.\n");
  }

  SUBCASE("hello_shell greets as hello does, and says what it misses") {
    Job job("hello_shell", "task", {"World"});
    quire::run_tool(CLIENT_SCRIPTS "/hello_shell", job);
    CHECK(job.output() == "Hello, World\n");
    CHECK(job.int_code() == 0);
    Job nobody("hello_shell", "task", {});
    quire::run_tool(CLIENT_SCRIPTS "/hello_shell", nobody);
    CHECK(nobody.int_code() == 1);
    CHECK(nobody.error() == "hello_shell needs argument 1, whom to greet, and was given none.\n");
  }
}
