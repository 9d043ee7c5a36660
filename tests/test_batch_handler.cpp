#include "worker/batch_handler.hpp"

#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>

namespace quire {

namespace {

// Says what was asked of it, in order.
struct Journal {
  std::vector<std::string> lines;
};

class FakeRecord final : public TaskRecord {
 public:
  explicit FakeRecord(Journal& journal) : journal_(journal) {}
  Begun begin(const Batch& batch, const std::vector<Task*>& tasks) override {
    journal_.lines.push_back("started " + batch.handle + " " + std::to_string(tasks.size()));
    return {.to_run = tasks, .elsewhere = {}};
  }
  void interrupted(const Batch&, const std::vector<Task*>&) override {}
  void delivered(const std::string&, const std::string&, bool) override {}
  void finished(const Batch& batch) override {
    journal_.lines.push_back("finished " + batch.handle + " " + std::to_string(batch.tasks.size()));
  }

 private:
  Journal& journal_;
};

class FakeRunner final : public SubsetRunner {
 public:
  explicit FakeRunner(Journal& journal) : journal_(journal) {}
  void run(const Module& module, const std::string& function, const std::string&,
           const std::vector<Task*>& tasks) override {
    journal_.lines.push_back("run " + function + " as " + module.name + " " + std::to_string(tasks.size()));
    for (Task* task : tasks) task->result.emplace().output = task->words.empty() ? "" : task->words.front();
  }

 private:
  Journal& journal_;
};

// A module table with one script that is there and one that is not.
struct Folder {
  Folder() {
    char name[] = "/tmp/quire-test-XXXXXX";
    folder = ::mkdtemp(name);
    std::ofstream(folder + "/modules.conf")
        << "[supportedBatchCommands]\nhello_v0.0 = hello\nlost_v0.0 = lost\n";
    std::ofstream(folder + "/hello.py") << "def call(jobs): pass\n";
    settings.client_modules = folder + "/modules.conf";
    settings.client_scripts = folder;
    settings.shared_directory = "/shared/";
  }
  ~Folder() { std::filesystem::remove_all(folder); }
  std::string folder;
  Settings settings;
};

Delivery delivery(const std::string& function, const std::string& workload) {
  return {.function = function, .handle = "H:x:1", .unique = "u", .workload = workload, .server = "s:1"};
}

}  // namespace

TEST_CASE("batch handler") {
  const Folder folder;
  const Site site(folder.settings);
  Journal journal;
  FakeRecord record(journal);
  FakeRunner runner(journal);
  BatchHandler handler(runner, record);
  using Kind = BatchHandler::Answer::Kind;

  SUBCASE("a batch is recorded as started, run, recorded as finished, and answered, in this order") {
    const auto [kind, reply] = handler.handle(delivery(
        "Hello_v0.0", R"({"tasks": {"a": {"arguments": "%sharedPath%x"}, "b": {"arguments": "y"}}})"), site);
    REQUIRE(kind == Kind::reply);
    CHECK(reply.find(R"("/shared/x")") != std::string::npos);
    CHECK(journal.lines ==
          std::vector<std::string>{"started H:x:1 2", "run hello_v0.0 as hello 2", "finished H:x:1 2"});
  }
  SUBCASE("a task whose arguments cannot be split is answered and recorded without being run") {
    const auto [kind, reply] = handler.handle(
        delivery("hello_v0.0", R"({"tasks": {"a": {"arguments": "\"x"}, "b": {"arguments": "y"}}})"), site);
    REQUIRE(kind == Kind::reply);
    CHECK(reply.find("No closing quotation") != std::string::npos);
    CHECK(journal.lines ==
          std::vector<std::string>{"started H:x:1 1", "run hello_v0.0 as hello 1", "finished H:x:1 2"});
  }
  SUBCASE("a script that is missing answers each task with exit code 1 and the reason") {
    const auto [kind, reply] = handler.handle(delivery("lost_v0.0", R"({"tasks": {"a": {"arguments": ""}}})"), site);
    REQUIRE(kind == Kind::reply);
    CHECK(reply.find(R"("exitCode":1)") != std::string::npos);
    CHECK(reply.find("lost") != std::string::npos);
    CHECK(journal.lines.back() == "finished H:x:1 1");
  }
  SUBCASE("a workload without a task id is failed, and nothing is recorded or run") {
    CHECK(handler.handle(delivery("hello_v0.0", "no JSON"), site).kind == Kind::unreadable);
    CHECK(handler.handle(delivery("hello_v0.0", R"({"tasks": {}})"), site).kind == Kind::unreadable);
    CHECK(journal.lines.empty());
  }
}

}  // namespace quire
