#include <thread>

#include <doctest/doctest.h>

#include "clientScripts/run_tool.hpp"
#include "tests/support/loaded_script.hpp"
#include "tests/support/temporary_folder.hpp"

using quire::Job;
using quire::test::LoadedScript;
using quire::test::TemporaryFolder;

namespace {

const LoadedScript& checksum() {
  static const LoadedScript script(CLIENT_SCRIPTS "/checksum.so");
  return script;
}

Job run_program(const std::string& program, const std::vector<std::string>& arguments) {
  Job job("function", "task", arguments);
  quire::run_tool(program, job);
  return job;
}

}  // namespace

TEST_CASE("checksum") {
  const TemporaryFolder folder;

  SUBCASE("the digests are those of the standards") {
    const std::string abc = folder.write("abc", "abc");
    CHECK(checksum().run({"md5", abc}).output() == "900150983cd24fb0d6963f7d28e17f72  " + abc + "\n");
    CHECK(checksum().run({"sha1", abc}).output() ==
          "a9993e364706816aba3e25717850c26c9cd0d89d  " + abc + "\n");
    CHECK(checksum().run({"sha256", abc}).output() ==
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  " + abc + "\n");
    CHECK(checksum().run({"sha512", abc}).output() ==
          "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
          "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f  " +
              abc + "\n");
  }

  SUBCASE("the output is that of md5sum, sha1sum, sha256sum and sha512sum, whatever the size and the name") {
    const std::string block(1 << 20, 'q');
    for (const std::string& content : {std::string(), block, block + block + block + "end"}) {
      for (const char* name :
           {"plain", "with space", "back\\slash", "new\nline", "return\r", "\xff\xfe", "Ü 日本"}) {
        const std::string path = folder.write(name, content);
        for (const std::string algorithm : {"md5", "sha1", "sha256", "sha512"}) {
          CAPTURE(path);
          CAPTURE(algorithm);
          const Job job = checksum().run({algorithm, path});
          CHECK(job.int_code() == 0);
          CHECK(job.error().empty());
          // The program's own text has passed through run_tool, which replaces what is not UTF-8.
          CHECK(run_program("printf", {"%s", job.output()}).output() ==
                run_program(algorithm + "sum", {path}).output());
        }
      }
    }
  }

  SUBCASE("without an algorithm it is sha256") {
    const std::string path = folder.write("file", "content");
    CHECK(checksum().run({path}).output() == checksum().run({"sha256", path}).output());
  }

  SUBCASE("a file that cannot be read is named on stderr with the system's reason") {
    const std::string missing = folder / "missing";
    const Job job = checksum().run({"md5", missing});
    CHECK(job.int_code() == 1);
    CHECK(job.output().empty());
    CHECK(job.error() == "checksum: cannot read " + missing + ": No such file or directory.\n");
    CHECK(checksum().run({folder.path()}).error() ==
          "checksum: cannot read " + folder.path().string() + ": Is a directory.\n");
  }

  SUBCASE("a path is not cut off at a zero byte") {
    const Job job = checksum().run({folder.write("file", "content") + std::string("\0x", 2)});
    CHECK(job.int_code() == 1);
    CHECK(job.output().empty());
  }

  SUBCASE("an unknown algorithm is answered with those that are known") {
    const Job job = checksum().run({"crc32", folder.write("file", "content")});
    CHECK(job.int_code() == 1);
    CHECK(job.error() == "checksum: there is no algorithm \"crc32\"; use md5, sha1, sha256 or sha512.\n");
  }

  SUBCASE("too few and too many arguments are refused") {
    CHECK(checksum().run({}).int_code() == 1);
    const Job job = checksum().run({"md5", "a", "b"});
    CHECK(job.int_code() == 1);
    CHECK(job.error() == "checksum: give a file, or an algorithm and a file, not 3 arguments.\n");
  }

  SUBCASE("a job that fails does not keep the next one from its result") {
    std::vector<Job> jobs{{"checksum", "1", {folder / "missing"}},
                          {"checksum", "2", {folder.write("b", "")}}};
    checksum().call(jobs);
    CHECK(jobs[0].int_code() == 1);
    CHECK(jobs[1].int_code() == 0);
    CHECK(jobs[1].output().size() > 64);
  }

  SUBCASE("a batch may be divided over all processors, and its jobs are independent") {
    CHECK(checksum().find<int()>("concurrent_instances")() ==
          static_cast<int>(std::thread::hardware_concurrency()));
    CHECK(checksum().find<bool()>("independent_jobs")());
  }
}
