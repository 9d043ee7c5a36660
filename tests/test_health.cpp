// What can be found out of a gearmand on this host, and of a record.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <SQLiteCpp/SQLiteCpp.h>

#include "tests/support/gearmand.hpp"
#include "tests/support/record_fixture.hpp"
#include "worker/health/gearmand_facts.hpp"
#include "worker/health/record_check.hpp"
#include "worker/installation.hpp"

using namespace quire;
using namespace quire::test;

TEST_CASE("health: a gearmand on this host") {
  SUBCASE("its words are read in all their forms") {
    std::optional<std::uint16_t> port;
    const GearmandFacts facts = facts_of_words(
        {"/usr/sbin/gearmand", "--config-file=/dev/null", "-q", "libsqlite3", "-j3", "--port", "4731", "-R"},
        port);
    CHECK(facts.queue == "libsqlite3");
    CHECK(facts.retries == 3);
    CHECK(facts.round_robin);
    CHECK(port == 4731);
  }
  SUBCASE("so is its file, and the command line wins") {
    const TemporaryFolder folder;
    const std::string file =
        folder.write("gearmand.conf", "--queue-type=libsqlite3\n--job-retries=5\n--port=4731\n");
    std::optional<std::uint16_t> port;
    const GearmandFacts facts =
        facts_of_words({"gearmand", "--config-file=" + file, "--job-retries=7"}, port);
    CHECK(facts.queue == "libsqlite3");
    CHECK(facts.retries == 7);
    CHECK(port == 4731);
  }
  SUBCASE("a running one is found by its port") {
    const Gearmand gearmand;
    const auto facts = gearmand_facts({.host = "127.0.0.1", .port = gearmand.port()});
    REQUIRE(facts);
    CHECK(facts->source.starts_with("process "));
    CHECK(facts->queue == "builtin");
    CHECK(facts->retries == 0);
    CHECK_FALSE(listens_everywhere(gearmand.port()));
    CHECK_FALSE(gearmand_facts({.host = "192.0.2.1", .port = gearmand.port()}));
  }
  SUBCASE("what the doctor advises is what the shipped file has") {
    std::optional<std::uint16_t> port;
    const std::string ours = installation().gearmand_file;
    const GearmandFacts facts = facts_of_words({"gearmand", "--config-file=" + ours}, port);
    CHECK(facts.queue == "libsqlite3");
    CHECK(facts.retries == advised_retries);
    CHECK(facts.round_robin);
    CHECK(read_file(ours).find(std::string("\n--libsqlite3-db=") + advised_queue_file + "\n") !=
          std::string::npos);
  }
  SUBCASE("who listens everywhere is seen in the kernel's table") {
    const std::string head = "  sl  local_address rem_address   st\n";
    CHECK(listens_everywhere(head + "   0: 00000000:127A 00000000:0000 0A 0\n", 4730));
    CHECK(listens_everywhere(head + "   0: 00000000000000000000000000000000:127A 0:0000 0A 0\n", 4730));
    CHECK_FALSE(listens_everywhere(head + "   0: 0100007F:127A 00000000:0000 0A 0\n", 4730));
    CHECK_FALSE(listens_everywhere(head + "   0: 00000000:127A 00000000:0000 01 0\n", 4730));
    CHECK_FALSE(listens_everywhere(head + "   0: 00000000:127B 00000000:0000 0A 0\n", 4730));
    CHECK_FALSE(listens_everywhere("", 4730));
  }
  SUBCASE("this host is known by its addresses") {
    CHECK(is_on_this_host({.host = "127.0.0.1"}));
    CHECK(is_on_this_host({.host = "127.1.2.3"}));
    CHECK(is_on_this_host({.host = "localhost"}));
    CHECK_FALSE(is_on_this_host({.host = "192.0.2.1"}));
  }
}

TEST_CASE_FIXTURE(RecordFixture, "health: a record") {
  SUBCASE("one that is not there can be made") { CHECK(record_problem(path) == ""); }
  SUBCASE("one that is written can be written, and is left as it was") {
    SqliteRecord record = open();
    Batch batch = make_batch("a", 1);
    run_and_record(record, batch);
    CHECK(record_problem(path) == "");
    CHECK(number("SELECT count(*) FROM Tasks") == 1);
    CHECK(latest_end(path) > now() - std::chrono::hours(1));
  }
  SUBCASE("a file of another program, a corrupt one and a folder cannot") {
    SQLite::Database((folder / "other").string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
        .exec("CREATE TABLE theirs (letter); PRAGMA application_id = 17");
    CHECK(record_problem((folder / "other").string()).find("another program") != std::string::npos);
    CHECK(record_problem(folder.write("corrupt", std::string(5000, 'x'))) != "");
    CHECK(record_problem(folder.path().string()) != "");
  }
}
