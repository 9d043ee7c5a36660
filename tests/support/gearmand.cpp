#include "tests/support/gearmand.hpp"

#include <arpa/inet.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

namespace quire::test {
namespace {

struct LoopbackSocket {
  LoopbackSocket() : descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~LoopbackSocket() { ::close(descriptor); }
  const int descriptor;
};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

pid_t start(const std::vector<std::string>& command) {
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  pid_t process = -1;
  const int error = ::posix_spawnp(&process, words[0], nullptr, nullptr, words.data(), environ);
  if (error != 0) throw std::system_error(error, std::generic_category(), command.front());
  return process;
}

}  // namespace

std::uint16_t free_port() {
  const LoopbackSocket socket;
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(socket.descriptor, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      ::getsockname(socket.descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::system_error(errno, std::generic_category(), "no free port");
  }
  return ntohs(address.sin_port);
}

bool accepts_connections(std::uint16_t port) {
  const LoopbackSocket socket;
  const sockaddr_in address = loopback(port);
  return ::connect(socket.descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

Gearmand::Gearmand() : port_(free_port()) {
  process_ = start({"gearmand", "--listen=127.0.0.1", "--port=" + std::to_string(port_),
                    "--log-file=" + (folder_ / "gearmand.log").string(),
                    "--pid-file=" + (folder_ / "gearmand.pid").string()});
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!accepts_connections(port_)) {
    if (std::chrono::steady_clock::now() > give_up || ::waitpid(process_, nullptr, WNOHANG) != 0) {
      throw std::runtime_error("gearmand does not start: " + read_file(folder_ / "gearmand.log"));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

Gearmand::~Gearmand() { kill(); }

void Gearmand::kill() {
  if (process_ <= 0) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  process_ = -1;
}

}  // namespace quire::test
