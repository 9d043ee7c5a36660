// The control socket: both sides of it, with a worker that answers from memory.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "tests/support/temporary_folder.hpp"
#include "worker/control.hpp"
#include "worker/control_client.hpp"
#include "worker/control_server.hpp"

using namespace quire;
using namespace quire::test;
namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

WorkerStatus make_status() {
  WorkerStatus status;
  status.client = "host:42";
  status.pid = 42;
  status.version = "1.2.3";
  status.started = parse_rfc3339("2024-08-04T21:34:35.241750+00:00").value();
  status.stopping = true;
  status.slots = 4;
  status.max_processes = 2;
  status.settings = {{"record", "/var/lib/quire/record.sqlite"}, {"time_limit", "0"}};
  status.functions = {"hello", "checksum_v0.0"};
  status.record_healthy = false;
  status.record_problem = "database is locked";
  status.record_waiting = 7;
  status.servers = {{.name = "127.0.0.1:4730", .connected = true, .in_hand = 1}};
  status.batches = {{.server = "127.0.0.1:4730",
                     .handle = "H:host:1",
                     .function = "hello",
                     .age = Seconds(1.5),
                     .tasks = 5,
                     .begun = 3,
                     .ended = 1,
                     .waits_for_host = true,
                     .waiting = {"d", "e"}}};
  status.subsets = {{.handle = "H:host:1",
                     .function = "hello",
                     .pid = 43,
                     .age = Seconds(1.25),
                     .running = {"b", "c"},
                     .ended = {"a"},
                     .waiting = {}}};
  status.reports = {{.id = "a",
                     .begun = parse_rfc3339("2024-08-04T21:34:36Z"),
                     .ended = parse_rfc3339("2024-08-04T21:34:37Z"),
                     .exit_code = 3,
                     .counts = true},
                    {.id = "b", .cancelled = true}};
  status.hosts = {{.module = "hello", .pid = 44, .state = "ready", .running = 1, .served = 9}};
  return status;
}

class Fake final : public WorkerControl {
 public:
  WorkerStatus snapshot() override { return make_status(); }
  std::vector<Cancellation> cancel(const std::vector<std::string>& ids, bool with_subset) override {
    std::vector<Cancellation> answers;
    for (const std::string& id : ids) {
      answers.push_back({.id = id,
                         .kind = with_subset ? Cancellation::Kind::ending : Cancellation::Kind::shared,
                         .shares = {"other"}});
    }
    return answers;
  }
};

// A worker's main loop in a thread, with its control socket.
struct Listening {
  explicit Listening(const std::string& state_directory)
      : server(loop, state_directory,
               [this](std::string_view line) { return answer_request(control, line); }),
        thread([this] { loop.run(); }) {}
  ~Listening() {
    work.reset();
    loop.stop();
    thread.join();
  }

  Fake control;
  asio::io_context loop;
  asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(loop);
  ControlServer server;
  std::thread thread;
};

// The socket that a worker leaves when it is killed.
std::string leave_socket(const fs::path& path) {
  fs::create_directories(path.parent_path());
  asio::io_context loop;
  asio::local::stream_protocol::acceptor(loop, asio::local::stream_protocol::endpoint(path.string()));
  REQUIRE(fs::exists(path));
  return path;
}

}  // namespace

TEST_CASE("control: the wire") {
  Fake control;
  SUBCASE("a status arrives as it was sent") {
    const WorkerStatus status = decode_status(answer_request(control, status_request()));
    CHECK(encode_status(status) == encode_status(make_status()));
    CHECK(status.batches.at(0).waiting == std::vector<std::string>{"d", "e"});
    CHECK(status.subsets.at(0).age == Seconds(1.25));
    CHECK(status.started == make_status().started);
  }
  SUBCASE("so does what becomes of tasks that are to be cancelled") {
    const auto refused = decode_cancellations(answer_request(control, cancel_request({"a", "b"}, false)));
    REQUIRE(refused.size() == 2);
    CHECK(refused[1].id == "b");
    CHECK(refused[1].kind == Cancellation::Kind::shared);
    CHECK(refused[1].shares == std::vector<std::string>{"other"});
    const auto accepted = decode_cancellations(answer_request(control, cancel_request({"a"}, true)));
    CHECK(accepted.at(0).kind == Cancellation::Kind::ending);
  }
  SUBCASE("bytes that are not UTF-8 do not break it") {
    CHECK(decode_cancellations(answer_request(control, cancel_request({"\xff"}, false))).size() == 1);
  }
  SUBCASE("a request that makes no sense is answered with a sentence") {
    for (const char* const line :
         {"", "nonsense", "[]", R"({"request":"statsu"})", R"({"request":"cancel"})"}) {
      CHECK_THROWS_AS(decode_status(answer_request(control, line)), std::runtime_error);
    }
    CHECK_THROWS_WITH_AS(decode_status(answer_request(control, R"({"request":"statsu"})")),
                         R"(There is no request "statsu"; there are status, written and cancel.)",
                         std::runtime_error);
  }
  SUBCASE("an answer of another version is said to be that") {
    CHECK_THROWS_WITH_AS(decode_status("{}"), doctest::Contains("another version"), std::runtime_error);
  }
}

TEST_CASE("control: the socket") {
  const TemporaryFolder folder;
  // Longer than the address of a Unix socket may be.
  const std::string state = folder / std::string(100, 's');

  SUBCASE("workers are found and asked; the socket is for the group at most, and goes with its worker") {
    std::string path;
    {
      const Listening worker(state);
      path = worker.server.path();
      struct stat status {};
      REQUIRE(::stat(path.c_str(), &status) == 0);
      CHECK((status.st_mode & 0777) == 0660);
      const WorkersStatus all = ask_workers(state);
      REQUIRE(all.workers.size() == 1);
      CHECK(all.sockets == std::vector<std::string>{path});
      CHECK(encode_status(all.workers[0]) == encode_status(make_status()));
      CHECK(ask_to_cancel(path, {"a"}, false).at(0).kind == Cancellation::Kind::shared);
    }
    CHECK_FALSE(fs::exists(path));
    CHECK(ask_workers(state).workers.empty());
  }
  SUBCASE("two workers with the same process id have two sockets") {
    const Listening one(state);
    const Listening two(state);
    CHECK(one.server.path() != two.server.path());
    CHECK(ask_workers(state).workers.size() == 2);
  }
  SUBCASE("what a worker has left that was killed is removed, by the next worker and by who asks") {
    const std::string left = leave_socket(folder / "s" / "control" / "1.sock");
    CHECK(is_stale(left));
    const Listening worker(folder / "s");
    CHECK_FALSE(fs::exists(left));
    leave_socket(left);
    const WorkersStatus all = ask_workers(folder / "s");
    CHECK(all.workers.size() == 1);
    CHECK(all.problems.empty());
    CHECK_FALSE(fs::exists(left));
  }
  SUBCASE("a worker that does not come round is told of, in the time that was given") {
    fs::create_directories(folder / "s" / "control");
    asio::io_context loop;
    const asio::local::stream_protocol::acceptor silent(
        loop, asio::local::stream_protocol::endpoint((folder / "s" / "control" / "1.sock").string()));
    const WorkersStatus all = ask_workers(folder / "s", std::chrono::milliseconds(50));
    REQUIRE(all.problems.size() == 1);
    CHECK(all.problems[0].find("does not answer in time") != std::string::npos);
    CHECK(all.problems[0].ends_with(". Look at its log, and restart it."));
  }
  SUBCASE("a folder that cannot be made is told with its name") {
    folder.write("file", "");
    asio::io_context loop;
    const auto make = [&] {
      ControlServer(loop, folder / "file", [](std::string_view) { return std::string(); });
    };
    CHECK_THROWS_WITH_AS(make(), doctest::Contains("file/control cannot be made"), std::runtime_error);
  }
}
