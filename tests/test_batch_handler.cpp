#include "worker/batch_handler.hpp"

#include <filesystem>
#include <fstream>
#include <functional>

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
  // A task "known" has ended before; a task "elsewhere" is run by another worker when it is first asked for.
  Begun begin(const Batch& batch, const std::vector<Task*>& tasks) override {
    journal_.lines.push_back("started " + batch.handle + " " + std::to_string(tasks.size()));
    Begun begun;
    for (Task* task : tasks) {
      if (task->id == "known" || (task->id == "elsewhere" && asked_++ > 0)) {
        task->result.emplace().on_record = true;
      } else {
        (task->id == "elsewhere" ? begun.elsewhere : begun.to_run).push_back(task);
      }
    }
    return begun;
  }
  void interrupted(const Batch& batch, const std::vector<Task*>& tasks) override {
    journal_.lines.push_back("interrupted " + batch.handle + " " + std::to_string(tasks.size()));
  }
  void delivered(const std::string&, const std::string&, bool) override {}
  void finished(const Batch& batch) override {
    journal_.lines.push_back("finished " + batch.handle + " " + std::to_string(batch.tasks.size()));
  }

 private:
  Journal& journal_;
  int asked_ = 0;
};

class FakeRunner final : public SubsetRunner {
 public:
  explicit FakeRunner(Journal& journal) : journal_(journal) {}
  std::function<void()> on_run;
  void run(const Module& module, const std::string& function, const std::string&,
           const std::vector<Task*>& tasks) override {
    journal_.lines.push_back("run " + function + " as " + module.name + " " + std::to_string(tasks.size()));
    for (Task* task : tasks) {
      if (task->id == "cut short") continue;
      task->result.emplace().output = task->words.empty() ? "" : task->words.front();
    }
    if (on_run) on_run();
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
    const auto [kind, reply] = handler.handle(
        delivery("Hello_v0.0",
                 R"({"tasks": {"a": {"arguments": "%sharedPath%x"}, "b": {"arguments": "y"}}})"),
        site);
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
    const auto [kind, reply] =
        handler.handle(delivery("lost_v0.0", R"({"tasks": {"a": {"arguments": ""}}})"), site);
    REQUIRE(kind == Kind::reply);
    CHECK(reply.find(R"("exitCode":1)") != std::string::npos);
    CHECK(reply.find("lost") != std::string::npos);
    CHECK(journal.lines.back() == "finished H:x:1 1");
  }
  SUBCASE("a task whose end is on record is answered and not run, one that runs elsewhere is waited for") {
    const auto [kind, reply] = handler.handle(
        delivery("hello_v0.0", R"({"tasks": {"known": {"arguments": ""}, "elsewhere": {"arguments": ""}}})"),
        site);
    REQUIRE(kind == Kind::reply);
    CHECK(journal.lines ==
          std::vector<std::string>{"started H:x:1 2", "started H:x:1 1", "finished H:x:1 2"});
  }
  SUBCASE("what has ended is on record before others are waited for, who may wait for it") {
    const auto [kind, reply] = handler.handle(
        delivery("hello_v0.0", R"({"tasks": {"a": {"arguments": ""}, "elsewhere": {"arguments": ""}}})"), site);
    REQUIRE(kind == Kind::reply);
    CHECK(journal.lines == std::vector<std::string>{"started H:x:1 2", "run hello_v0.0 as hello 1",
                                                    "finished H:x:1 2", "started H:x:1 1", "finished H:x:1 2"});
  }
  SUBCASE("a batch that a stop cuts short is left, with what has come to its end recorded") {
    runner.on_run = [&] { handler.interrupt(); };
    const std::string tasks = R"({"tasks": {"a": {"arguments": ""}, "cut short": {"arguments": ""}}})";
    CHECK(handler.handle(delivery("hello_v0.0", tasks), site).kind == Kind::interrupted);
    CHECK(journal.lines == std::vector<std::string>{"started H:x:1 2", "run hello_v0.0 as hello 2",
                                                    "interrupted H:x:1 1", "finished H:x:1 2"});
  }
  SUBCASE("or is answered as failed, where that is asked for") {
    Settings settings = folder.settings;
    settings.fail_interrupted = true;
    const Site failing(settings);
    runner.on_run = [&] { handler.interrupt(); };
    const std::string tasks = R"({"tasks": {"a": {"arguments": ""}, "cut short": {"arguments": ""}}})";
    const auto [kind, reply] = handler.handle(delivery("hello_v0.0", tasks), failing);
    REQUIRE(kind == Kind::reply);
    CHECK(reply.find("fail_interrupted") != std::string::npos);
  }
  SUBCASE("a workload without a task id is failed, and nothing is recorded or run") {
    CHECK(handler.handle(delivery("hello_v0.0", "no JSON"), site).kind == Kind::unreadable);
    CHECK(handler.handle(delivery("hello_v0.0", R"({"tasks": {}})"), site).kind == Kind::unreadable);
    CHECK(journal.lines.empty());
  }
}

}  // namespace quire
