// A plain socket to a job server, and Gearman's packets on it: what the load generator needs and no more, so
// that it costs next to nothing beside what it measures. Not for several threads.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace benchmark {

enum class Packet : std::uint32_t { submit_job = 7, job_created = 8, work_complete = 13 };

inline std::string request(Packet kind, std::string_view body) {
  const std::uint32_t fields[] = {htonl(static_cast<std::uint32_t>(kind)),
                                  htonl(static_cast<std::uint32_t>(body.size()))};
  std::string packet("\0REQ", 4);
  packet.append(reinterpret_cast<const char*>(fields), sizeof fields).append(body);
  return packet;
}

// Everything throws std::runtime_error with a sentence when the server is not there or has gone.
class Connection {
 public:
  explicit Connection(int port) : descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      close(descriptor_);
      throw std::runtime_error("there is no job server on port " + std::to_string(port));
    }
    const int on = 1;
    setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ~Connection() { close(descriptor_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = write(descriptor_, bytes.data(), bytes.size());
      if (count < 0) throw std::runtime_error(std::strerror(errno));
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  // Waits until there is something to receive; false when there is nothing by then.
  bool has_something_before(std::chrono::steady_clock::time_point end) {
    if (begin_ != end_) return true;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    pollfd ready{descriptor_, POLLIN, 0};
    return poll(&ready, 1, static_cast<int>(std::max<std::int64_t>(0, left.count()))) > 0;
  }

  // The next packet's type; `body` is what it carries.
  Packet receive(std::string& body) {
    std::string head(12, '\0');
    fill(head);
    std::uint32_t fields[2];
    std::memcpy(fields, head.data() + 4, sizeof fields);
    body.resize(ntohl(fields[1]));
    fill(body);
    return static_cast<Packet>(ntohl(fields[0]));
  }

 private:
  // Reads exactly as many bytes as `to` has room for.
  void fill(std::string& to) {
    std::size_t have = 0;
    while (have < to.size()) {
      if (begin_ == end_) {
        const ssize_t count = read(descriptor_, buffer_.data(), buffer_.size());
        if (count <= 0) throw std::runtime_error("the job server closed the connection");
        begin_ = 0;
        end_ = static_cast<std::size_t>(count);
      }
      const std::size_t part = std::min(to.size() - have, end_ - begin_);
      std::memcpy(to.data() + have, buffer_.data() + begin_, part);
      have += part;
      begin_ += part;
    }
  }

  int descriptor_;
  std::vector<char> buffer_ = std::vector<char>(1 << 18);
  std::size_t begin_ = 0, end_ = 0;
};

}  // namespace benchmark
