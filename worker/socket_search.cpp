#include "worker/socket_search.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <charconv>
#include <filesystem>
#include <string>
#include <system_error>

namespace quire {

namespace {

std::set<int> open_descriptors() {
  std::set<int> numbers;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const std::string name = entry.path().filename().string();
    int number = -1;
    std::from_chars(name.data(), name.data() + name.size(), number);
    numbers.insert(number);
  }
  // Among them was the one over which the folder was read.
  std::erase_if(numbers, [](int number) { return ::fcntl(number, F_GETFD) == -1; });
  return numbers;
}

// The port that the socket is connected to; -1 when it is no TCP socket.
int peer_port(int descriptor) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  if (::getpeername(descriptor, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return -1;
  if (peer.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(peer).sin_port);
  if (peer.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(peer).sin6_port);
  return -1;
}

std::mutex& search_mutex() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace

SocketSearch::SocketSearch() : lock_(search_mutex()), before_(open_descriptors()) {}

int SocketSearch::new_tcp_socket(in_port_t port) const {
  for (const int descriptor : open_descriptors()) {
    if (!before_.contains(descriptor) && peer_port(descriptor) == port) return descriptor;
  }
  return -1;
}

}  // namespace quire
