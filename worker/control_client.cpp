#include "worker/control_client.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iterator>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>

#include "worker/control.hpp"
#include "worker/control_server.hpp"
#include "worker/socket_path.hpp"

namespace quire {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using Socket = asio::local::stream_protocol;

// At once or not at all: a worker that does not come round to accept keeps nobody waiting.
void connect(Socket::socket& socket, const std::string& path, boost::system::error_code& error) {
  const SocketPath short_path(path);
  socket.open();
  socket.non_blocking(true);
  socket.connect(Socket::endpoint(short_path.text()), error);
}

// The answer to one line.
class Question {
 public:
  explicit Question(std::string socket) : path_(std::move(socket)) {}

  std::string ask(const std::string& request, std::chrono::milliseconds limit) {
    connect(socket_, path_, error_);
    if (error_) fail("cannot be asked (" + error_.message() + ")");
    const std::string line = request + '\n';
    asio::async_write(socket_, asio::buffer(line), [this](auto error, std::size_t) {
      if (!failed(error)) read();
    });
    loop_.run_for(limit);
    if (!loop_.stopped()) fail("does not answer in time");
    if (error_) fail("gave no answer (" + error_.message() + ")");
    std::string answer(std::istreambuf_iterator<char>(&answer_), {});
    answer.erase(answer.find('\n'));
    return answer;
  }

 private:
  bool failed(const boost::system::error_code& error) {
    error_ = error;
    return error.failed();
  }
  void read() {
    asio::async_read_until(socket_, answer_, '\n', [this](auto error, std::size_t) { failed(error); });
  }
  [[noreturn]] void fail(const std::string& what) {
    throw WorkerUnreachable("The worker behind " + path_ + " " + what + ".");
  }

  const std::string path_;
  asio::io_context loop_;
  Socket::socket socket_{loop_};
  asio::streambuf answer_;
  boost::system::error_code error_;
};

std::vector<std::string> sockets_in(const fs::path& folder) {
  std::vector<std::string> sockets;
  if (!fs::exists(folder)) return sockets;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".sock") sockets.push_back(entry.path());
  }
  std::ranges::sort(sockets);
  return sockets;
}

}  // namespace

std::string ask_worker(const std::string& socket, const std::string& request,
                       std::chrono::milliseconds limit) {
  return Question(socket).ask(request, limit);
}

bool is_stale(const std::string& socket) {
  asio::io_context loop;
  Socket::socket probe(loop);
  boost::system::error_code error;
  connect(probe, socket, error);
  return error == asio::error::connection_refused;
}

WorkersStatus ask_workers(const std::string& state_directory, std::chrono::milliseconds limit) {
  WorkersStatus all;
  try {
    for (const std::string& socket : sockets_in(control_folder(state_directory))) {
      if (is_stale(socket)) {
        ::unlink(socket.c_str());
        continue;
      }
      try {
        all.workers.push_back(decode_status(ask_worker(socket, status_request(), limit)));
        all.sockets.push_back(socket);
      } catch (const std::runtime_error& error) {
        all.problems.push_back(std::string(error.what()) + " Look at its log, and restart it.");
      }
    }
  } catch (const fs::filesystem_error& error) {
    all.problems.push_back("The control sockets in " + control_folder(state_directory) +
                           " cannot be looked at: " + error.code().message() +
                           ". Ask as root or as the user of the workers.");
  }
  return all;
}

std::vector<Cancellation> ask_to_cancel(const std::string& socket, const std::vector<std::string>& ids,
                                        bool with_subset, std::chrono::milliseconds limit) try {
  return decode_cancellations(ask_worker(socket, cancel_request(ids, with_subset), limit));
} catch (const WorkerUnreachable&) {
  throw;
} catch (const std::runtime_error& error) {
  throw WorkerUnreachable("The worker behind " + socket + " refuses: " + error.what());
}

}  // namespace quire
