// Every finding of the doctor, provoked: by a job server that is really so, or by a host that says it is so.
// What takes real workers is in the scenario doctor.
#include <filesystem>

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>

#include "tests/support/gearmand.hpp"
#include "worker/gearman_client.hpp"
#include "worker/health/health.hpp"

using namespace quire;
using namespace quire::test;
using Level = Finding::Level;

namespace {

// A site with a job server, one client script and no worker, on a host on which all is well.
struct HealthySite {
  HealthySite() {
    site.settings.state_directory = folder / "state";
    site.settings.record = folder / "record.sqlite";
    site.settings.client_modules = folder.write("modules", "[supportedBatchCommands]\ngreet_v0.0 = hello\n");
    site.settings.gearman_servers = gearmand.address();
    site.options = " --config /etc/one.conf";
    site.settings.complete();
    site.host.clock_is_synchronised = [] { return true; };
    site.host.limits_of = [](int) { return ProcessLimits{}; };
    site.host.disk_space = [](const std::string&) {
      return DiskSpace{.bytes = 1ULL << 40, .inodes = 1'000'000};
    };
    site.host.listens_everywhere = [](std::uint16_t) { return false; };
    site.host.gearmand = [](const JobServer&) {
      return GearmandFacts{.source = "process 42", .queue = "libsqlite3", .retries = 5};
    };
  }

  // What this one check finds.
  std::vector<Finding> look(const std::string& check) const {
    std::vector<std::string> without = health_checks();
    REQUIRE(std::erase(without, check) == 1);
    const std::vector<Finding> findings = examine(site, without);
    REQUIRE(!findings.empty());
    for (const Finding& finding : findings) {
      CAPTURE(finding.sentence);
      CHECK(finding.check == check);
      CHECK(finding.sentence.ends_with('.'));
    }
    return findings;
  }

  // The check finds one thing, which is of this level and says all of this.
  void expect(const std::string& check, Level level, const std::vector<std::string>& parts) const {
    const std::vector<Finding> findings = look(check);
    REQUIRE(findings.size() == 1);
    const std::string sentence = findings.front().sentence;
    CAPTURE(sentence);
    CHECK(findings.front().level == level);
    for (const std::string& part : parts) {
      CAPTURE(part);
      CHECK(sentence.find(part) != std::string::npos);
    }
  }

  // A worker that serves the site.
  WorkerStatus& add_worker() {
    WorkerStatus& worker = site.workers.emplace_back();
    worker.client = "here:4242";
    worker.pid = 4242;
    worker.slots = 4;
    worker.max_processes = 2;
    worker.settings["record"] = site.settings.record;
    worker.servers.push_back({.name = gearmand.address(), .connected = true});
    return worker;
  }

  TemporaryFolder folder;
  Gearmand gearmand;
  SiteFacts site;
};

}  // namespace

TEST_CASE_FIXTURE(HealthySite, "health: a host on which all is well") {
  for (const std::string& check : health_checks()) {
    CAPTURE(check);
    if (check != "workers" && check != "functions") CHECK(look(check).front().level == Level::ok);
  }
  add_worker();
  expect("workers", Level::ok, {"1 worker runs on this host."});
  CHECK(examine(site, health_checks()).empty());
}

TEST_CASE_FIXTURE(HealthySite, "health: workers") {
  SUBCASE("none runs") {
    expect("workers", Level::warning,
           {"No worker with the state directory " + site.settings.state_directory,
            "`quire worker --config /etc/one.conf`"});
  }
  SUBCASE("one cannot be asked") {
    site.problems = {"Worker here:4243 does not answer. Restart it."};
    expect("workers", Level::critical, {"here:4243 does not answer. Restart it."});
  }
  SUBCASE("one cannot start processes") {
    add_worker().short_of_resources = true;
    expect("workers", Level::critical, {"here:4242 cannot start processes", "raise the limits"});
  }
  SUBCASE("one has no connection") {
    add_worker().servers.front().connected = false;
    expect("workers", Level::critical, {"no connection to the job server " + gearmand.address()});
  }
}

TEST_CASE_FIXTURE(HealthySite, "health: a job server") {
  SUBCASE("it cannot be reached") {
    gearmand.kill();
    expect("server", Level::critical, {gearmand.address(), "Start gearmand there", "gearman_servers"});
    // "Every function is served", it once said then.
    expect("functions", Level::ok, {"cannot be told", gearmand.address()});
    expect("sites", Level::ok, {"cannot be told", gearmand.address()});
  }
  SUBCASE("it listens on every address") {
    site.host.listens_everywhere = [this](std::uint16_t port) { return port == gearmand.port(); };
    expect("listening", Level::warning,
           {gearmand.address(), "firewall", "--listen=127.0.0.1 into /etc/gearmand.conf",
            "gearmand.conf has it", "/etc/default/gearman-job-server"});
  }
  SUBCASE("its queue is in memory") {
    site.host.gearmand = [](const JobServer&) { return GearmandFacts{.source = "process 42", .retries = 5}; };
    expect("queue", Level::warning,
           {"process 42", "keeps its queue in memory", "--queue-type=libsqlite3",
            "--libsqlite3-db=/var/lib/gearman/queue.sqlite into /etc/gearmand.conf"});
  }
  SUBCASE("it delivers without limit") {
    site.host.gearmand = [](const JobServer&) {
      return GearmandFacts{.source = "process 42", .queue = "libsqlite3"};
    };
    expect("retries", Level::warning, {"without limit", "--job-retries=5 into /etc/gearmand.conf"});
  }
  SUBCASE("nobody can tell how it was started") {
    site.host.gearmand = [](const JobServer&) { return std::nullopt; };
    expect("queue", Level::ok, {"cannot be told", gearmand.address()});
    expect("retries", Level::ok, {"cannot be told", gearmand.address()});
  }
}

TEST_CASE_FIXTURE(HealthySite, "health: functions that nobody serves") {
  SUBCASE("one of the module table") {
    expect("functions", Level::warning,
           {"No Gearman worker available that can handle the job", "greet_v0.0", site.settings.client_modules,
            "`quire worker --config /etc/one.conf`"});
  }
  SUBCASE("one with jobs, which somebody mistyped") {
    site.settings.client_modules = folder.write("modules", "[supportedBatchCommands]\n");
    const std::vector<JobServer> servers{{.host = "127.0.0.1", .port = gearmand.port()}};
    for (const char* unique : {"1", "2"}) submit_in_background(servers, "greets_v0.0", unique, "{}");
    expect("functions", Level::critical,
           {"2 jobs wait at " + gearmand.address() + " for greets_v0.0", "module table",
            "`gearadmin --host=127.0.0.1 --port=" + std::to_string(gearmand.port()) + " --show-jobs`",
            "--cancel-job=HANDLE`"});
    SUBCASE("those of other sites are theirs") {
      site.settings.workers_key = "site1";
      expect("functions", Level::ok, {"Every function is served."});
    }
  }
}

TEST_CASE_FIXTURE(HealthySite, "health: modules") {
  SUBCASE("one that does not load") {
    site.settings.client_scripts = folder.path();
    folder.write("hello.py", "import no_such_module\n");
    expect(
        "modules", Level::critical,
        {"greet_v0.0 does not load", "`quire scripts check --config /etc/one.conf greet_v0.0` tells more."});
  }
  SUBCASE("one that is not there") {
    site.settings.client_scripts = folder.path();
    expect("modules", Level::critical, {"greet_v0.0 does not load", "no client script hello"});
  }
  SUBCASE("a module table that cannot be read") {
    site.settings.client_modules = folder / "gone";
    expect("modules", Level::critical, {(folder / "gone").string()});
    CHECK(look("server").front().level == Level::ok);
  }
}

TEST_CASE_FIXTURE(HealthySite, "health: the record") {
  SUBCASE("a file that is none") {
    folder.write("record.sqlite", std::string(5000, 'x'));
    expect("record", Level::critical, {site.settings.record, "cannot be written", "setting record"});
  }
  SUBCASE("that is missing, in a folder that cannot be made, whoever asks") {
    folder.write("file", "");
    site.settings.record = folder / "file" / "record.sqlite";
    expect("record", Level::critical, {site.settings.record, "cannot be made", "Not a directory"});
    site.settings.record = "/proc/nope/record.sqlite";
    expect("record", Level::critical, {site.settings.record, "cannot be made in /proc"});
  }
  SUBCASE("that is missing and can be made") {
    site.settings.record = folder / "one" / "two" / "record.sqlite";
    expect("record", Level::ok, {site.settings.record, "can be written"});
    CHECK(!std::filesystem::exists(folder / "one"));
  }
  SUBCASE("a worker that cannot write it") {
    WorkerStatus& worker = add_worker();
    worker.record_healthy = false;
    worker.record_problem = "database is locked.";
    expect("record", Level::critical, {"here:4242 cannot write its record: database is locked."});
  }
  SUBCASE("none is kept") {
    site.settings.record = no_record;
    expect("record", Level::ok, {"No record is kept"});
  }
}

TEST_CASE_FIXTURE(HealthySite, "health: room on disks") {
  const auto leave = [this](std::uint64_t bytes, std::optional<std::uint64_t> inodes) {
    site.host.disk_space = [=](const std::string&) { return DiskSpace{.bytes = bytes, .inodes = inodes}; };
  };
  constexpr std::uint64_t mebibyte = 1 << 20;
  constexpr std::uint64_t plenty = 1ULL << 40;
  SUBCASE("the borders") {
    leave(1024 * mebibyte, 1000);
    expect("disk", Level::ok, {"There is room"});
    leave(1024 * mebibyte - 1, 1000);
    expect("disk", Level::warning,
           {"1023 MiB left in " + folder.path().string(), "the record and the state directory",
            "`quire tasks clear --config /etc/one.conf --before 30d`"});
    leave(64 * mebibyte, 1000);
    expect("disk", Level::warning, {"64 MiB left"});
    leave(64 * mebibyte - 1, 1000);
    expect("disk", Level::critical, {"63 MiB left"});
    leave(plenty, 999);
    expect("disk", Level::warning, {"999 inodes left"});
    leave(plenty, 16);
    expect("disk", Level::warning, {"16 inodes left"});
    leave(plenty, 15);
    expect("disk", Level::critical, {"15 inodes left"});
    leave(plenty, 1);
    expect("disk", Level::critical, {"1 inode left"});
  }
  SUBCASE("a disk that counts no inodes") {
    leave(plenty, std::nullopt);
    expect("disk", Level::ok, {"There is room"});
  }
  SUBCASE("two disks are told apart") {
    site.host.disk_space = [this](const std::string& of) {
      return of == site.settings.state_directory ? DiskSpace{.device = 1, .bytes = 5 * mebibyte}
                                                 : DiskSpace{.device = 2, .bytes = plenty};
    };
    expect("disk", Level::critical,
           {"The disk with the state directory has 5 MiB left in " + site.settings.state_directory});
  }
  SUBCASE("a real disk") {
    const std::optional<DiskSpace> space = HostFacts().disk_space(folder / "not/yet/there");
    REQUIRE(space);
    CHECK(space->bytes > 0);
    CHECK(space->device == HostFacts().disk_space(folder.path())->device);
  }
}

TEST_CASE_FIXTURE(HealthySite, "health: limits") {
  const auto limit = [this](std::optional<std::uint64_t> files, std::optional<std::uint64_t> processes) {
    site.host.limits_of = [=, this](int pid) {
      CHECK(pid == (site.workers.empty() ? 0 : 4242));
      return ProcessLimits{files, processes};
    };
  };
  add_worker();
  SUBCASE("open files: 128, 2 a batch in hand, 12 a process") {
    limit(160, {});
    expect("limits", Level::ok, {});
    limit(159, {});
    expect(
        "limits", Level::warning,
        {"Open files are limited to 159 for worker here:4242, which wants 160", "LimitNOFILE=", "ulimit -n"});
  }
  SUBCASE("processes: 64, 8 a process") {
    limit({}, 80);
    expect("limits", Level::ok, {});
    limit({}, 79);
    expect("limits", Level::warning,
           {"Processes are limited to 79", "and 80 may", "LimitNPROC=", "ulimit -u"});
  }
  SUBCASE("without a worker, those that one would have") {
    site.workers.clear();
    limit(1, 1);
    CHECK(look("limits").size() == 2);
  }
  SUBCASE("a worker that has ended meanwhile, or is another user's") {
    site.host.limits_of = [](int) { return std::nullopt; };
    expect("limits", Level::ok, {"cannot be told", "here:4242"});
  }
  SUBCASE("really: open files have a limit, and root has none of processes") {
    const auto limits = HostFacts().limits_of(0);
    REQUIRE(limits);
    CHECK(HostFacts().limits_of(::getpid()));
    if (::getuid() == 0) CHECK_FALSE(limits->processes);
    if (::getuid() == 0) CHECK_FALSE(HostFacts().limits_of(::getpid())->processes);
  }
}

TEST_CASE_FIXTURE(HealthySite, "health: the controller's database") {
  expect("database", Level::ok, {"No setting names a database"});
  site.settings.mariadb_database = "MCP";
  site.settings.mariadb_socket = folder / "nobody-listens.sock";
  expect("database", Level::critical, {"MCP", "cannot be used", "Start it", "mariadb_socket"});
}

TEST_CASE_FIXTURE(HealthySite, "health: the clock") {
  site.host.clock_is_synchronised = [] { return false; };
  expect("clock", Level::warning, {"not synchronised", "chrony"});
}
