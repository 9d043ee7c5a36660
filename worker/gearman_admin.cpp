#include "worker/gearman_admin.hpp"

#include <istream>
#include <sstream>
#include <stdexcept>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>

namespace quire {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// The answer to one command, up to the line with a single dot.
class Question {
 public:
  Question(const JobServer& server, std::string command) : server_(server), command_(std::move(command)) {}

  std::string ask(std::chrono::milliseconds limit) {
    resolver_.async_resolve(server_.host, std::to_string(server_.port), [this](auto error, auto endpoints) {
      if (!failed(error)) connect(endpoints);
    });
    loop_.run_for(limit);
    if (!loop_.stopped()) fail("does not answer in time");
    if (error_) fail("cannot be asked (" + error_.message() + ")");
    return {std::istreambuf_iterator<char>(&answer_), {}};
  }

 private:
  bool failed(const boost::system::error_code& error) {
    error_ = error;
    return error.failed();
  }
  void connect(const tcp::resolver::results_type& endpoints) {
    asio::async_connect(socket_, endpoints, [this](auto error, const auto&) {
      if (!failed(error)) write();
    });
  }
  void write() {
    is_connected_ = true;
    asio::async_write(socket_, asio::buffer(command_), [this](auto error, std::size_t) {
      if (!failed(error)) read();
    });
  }
  void read() {
    asio::async_read_until(socket_, answer_, "\n.\n", [this](auto error, std::size_t) { failed(error); });
  }
  [[noreturn]] void fail(const std::string& what) {
    const std::string sentence = "The job server " + server_.name() + " " + what + ".";
    if (!is_connected_) throw NotConnected(sentence);
    throw std::runtime_error(sentence);
  }

  const JobServer server_;
  const std::string command_;
  asio::io_context loop_;
  tcp::resolver resolver_{loop_};
  tcp::socket socket_{loop_};
  asio::streambuf answer_{1 << 20};
  boost::system::error_code error_;
  bool is_connected_ = false;
};

// The version, and the lines of the answer to a command. "version" is asked first, because a server without
// functions answers "status" with the dot alone, before which no line ends that one could wait for.
struct Answer {
  std::string version;
  std::vector<std::string> lines;
};
Answer ask(const JobServer& server, const std::string& command, std::chrono::milliseconds limit) {
  std::istringstream text(Question(server, "version\n" + command + "\n").ask(limit));
  Answer answer;
  std::getline(text, answer.version);
  if (!answer.version.starts_with("OK")) {
    throw std::runtime_error("The job server " + server.name() +
                             " does not speak gearmand's administration protocol.");
  }
  answer.version.erase(0, std::string("OK ").size());
  for (std::string line; std::getline(text, line) && line != ".";) answer.lines.push_back(std::move(line));
  return answer;
}

}  // namespace

std::vector<FunctionStatus> function_status(const JobServer& server, std::chrono::milliseconds limit) {
  std::vector<FunctionStatus> functions;
  for (const std::string& line : ask(server, "status", limit).lines) {
    std::istringstream fields(line);
    FunctionStatus function;
    if (std::getline(fields, function.name, '\t') &&
        fields >> function.jobs >> function.running >> function.workers) {
      functions.push_back(std::move(function));
    }
  }
  return functions;
}

// "33 127.0.0.1 quire@host:42 : hello checksum_v0.0"; connections that offer nothing are clients, this one
// too.
std::vector<WorkerConnection> worker_connections(const JobServer& server, std::chrono::milliseconds limit) {
  std::vector<WorkerConnection> connections;
  for (const std::string& line : ask(server, "workers", limit).lines) {
    std::istringstream fields(line);
    std::string number;
    std::string colon;
    WorkerConnection connection;
    if (!(fields >> number >> connection.address >> connection.identifier >> colon)) continue;
    for (std::string name; fields >> name;) connection.functions.push_back(name);
    if (!connection.functions.empty()) connections.push_back(std::move(connection));
  }
  return connections;
}

std::string server_version(const JobServer& server, std::chrono::milliseconds limit) {
  return ask(server, "status", limit).version;
}

}  // namespace quire
