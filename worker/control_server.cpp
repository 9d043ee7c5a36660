#include "worker/control_server.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <system_error>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>

#include "worker/control_client.hpp"
#include "worker/socket_path.hpp"

namespace quire {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using Socket = asio::local::stream_protocol;

constexpr std::size_t longest_request = 1 << 20;
constexpr std::size_t most_clients = 32;
constexpr auto client_patience = std::chrono::seconds(30);

void make_folder(const fs::path& folder) {
  if (!fs::exists(folder.parent_path())) make_folder(folder.parent_path());
  if (::mkdir(folder.c_str(), 0750) != 0 && errno != EEXIST) {
    throw std::system_error(errno, std::generic_category(),
                            "the folder " + folder.string() + " cannot be made");
  }
}

void remove_stale(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".sock" && is_stale(entry.path())) ::unlink(entry.path().c_str());
  }
}

// Workers in several containers may share the folder and have the same process id.
fs::path free_name(const fs::path& folder) {
  const std::string pid = std::to_string(::getpid());
  fs::path path = folder / (pid + ".sock");
  for (int i = 2; fs::exists(path); ++i) path = folder / (pid + "-" + std::to_string(i) + ".sock");
  return path;
}

}  // namespace

std::string control_folder(const std::string& state_directory) {
  return fs::path(state_directory) / "control";
}

struct ControlServer::Impl : std::enable_shared_from_this<ControlServer::Impl> {
  // One client: it asks, is answered, and may ask again.
  struct Client : std::enable_shared_from_this<Client> {
    Client(Impl& given_server, Socket::socket given_socket)
        : server(given_server), socket(std::move(given_socket)), timer(socket.get_executor()) {}

    void read() {
      be_patient();
      asio::async_read_until(
          socket, request, '\n', [self = shared_from_this()](auto error, std::size_t size) {
            if (error || self->closed) return self->close();
            const auto begin = asio::buffers_begin(self->request.data());
            self->answer =
                self->server.answer(std::string(begin, begin + static_cast<std::ptrdiff_t>(size - 1))) + '\n';
            self->request.consume(size);
            self->write();
          });
    }
    void write() {
      be_patient();
      asio::async_write(socket, asio::buffer(answer), [self = shared_from_this()](auto error, std::size_t) {
        if (error || self->closed) return self->close();
        self->read();
      });
    }
    void be_patient() {
      timer.expires_after(client_patience);
      timer.async_wait([self = shared_from_this()](auto error) {
        if (!error) self->close();
      });
    }
    void close() {
      if (std::exchange(closed, true)) return;
      boost::system::error_code ignored;
      socket.close(ignored);
      timer.cancel();
      server.clients.erase(shared_from_this());
    }

    Impl& server;
    Socket::socket socket;
    asio::steady_timer timer;
    asio::streambuf request{longest_request};
    std::string answer;
    bool closed = false;
  };

  Impl(asio::io_context& loop, Answer given) : acceptor(loop), answer(std::move(given)) {}

  // The socket gets its name when it listens and has its mode: one that does not listen is taken for stale.
  void listen(const fs::path& path) {
    fs::path beginning = path;
    beginning.replace_extension(".new");
    ::unlink(beginning.c_str());
    acceptor.open();
    acceptor.bind(Socket::endpoint(SocketPath(beginning).text()));
    if (::chmod(beginning.c_str(), 0660) != 0)
      throw std::system_error(errno, std::generic_category(), "chmod");
    acceptor.listen();
    fs::rename(beginning, path);
  }

  void accept() {
    acceptor.async_accept([self = shared_from_this()](auto error, Socket::socket socket) {
      if (!self->acceptor.is_open()) return;
      if (!error && self->clients.size() < most_clients) {
        const auto client = std::make_shared<Client>(*self, std::move(socket));
        self->clients.insert(client);
        client->read();
      }
      self->accept();
    });
  }

  void close() {
    boost::system::error_code ignored;
    acceptor.close(ignored);
    for (const auto& client : std::set(clients)) client->close();
  }

  Socket::acceptor acceptor;
  const Answer answer;
  std::set<std::shared_ptr<Client>> clients;
};

ControlServer::ControlServer(asio::io_context& loop, const std::string& state_directory, Answer answer)
    : impl_(std::make_shared<Impl>(loop, std::move(answer))) {
  const fs::path folder = control_folder(state_directory);
  try {
    make_folder(folder);
    remove_stale(folder);
    path_ = free_name(folder);
    impl_->listen(path_);
  } catch (const std::exception& error) {
    throw std::runtime_error("The control socket in " + folder.string() + " cannot be made: " + error.what() +
                             ".");
  }
  impl_->accept();
}

ControlServer::~ControlServer() {
  impl_->close();
  ::unlink(path_.c_str());
}

}  // namespace quire
