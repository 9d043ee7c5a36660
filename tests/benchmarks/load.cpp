// The load: sends batches of empty tasks over one plain socket, many in flight, and counts the answers. The
// workloads are made before the clock starts, so that this side costs next to nothing.
//
//   load PORT FUNCTION TASKS BATCH_SIZE IN_FLIGHT [BYTES]      prints tasks per second
//
// With BYTES each task's arguments are that number and its output is wanted, of so many bytes.
// Exits with 1 when a batch fails or a task has not ended well.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::uint32_t submit_job = 7, job_created = 8, work_complete = 13;

std::string number(std::uint32_t value) {
  value = htonl(value);
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

// An id as a UUID looks, new in every run, so that no record has seen it.
std::string make_id(std::mt19937_64& random) {
  char text[37];
  const auto high = random(), low = random();
  std::snprintf(text, sizeof text, "%08x-%04x-4%03x-8%03x-%012llx", static_cast<unsigned>(high >> 32),
                static_cast<unsigned>(high & 0xffff), static_cast<unsigned>(high >> 16 & 0xfff),
                static_cast<unsigned>(low >> 48 & 0xfff),
                static_cast<unsigned long long>(low & 0xffffffffffff));
  return text;
}

std::string make_packet(const std::string& function, std::size_t tasks, std::size_t bytes,
                        std::mt19937_64& random) {
  std::string body = function + '\0' + make_id(random) + '\0' + R"({"tasks":{)";
  for (std::size_t i = 0; i < tasks; ++i) {
    const std::string id = make_id(random);
    if (i > 0) body += ',';
    body += '"' + id + R"(":{"uuid":")" + id +
            R"(","createdDate":"2024-08-04T21:34:35.241750+00:00","arguments":")" +
            (bytes > 0 ? std::to_string(bytes) + R"(","wants_output":true})" : R"(","wants_output":false})");
  }
  body += "}}";
  return std::string("\0REQ", 4) + number(submit_job) + number(static_cast<std::uint32_t>(body.size())) +
         body;
}

class Connection {
 public:
  explicit Connection(int port) : descriptor_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
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

  // The next packet's type; `body` is what it carries.
  std::uint32_t receive(std::string& body) {
    std::string head(12, '\0');
    fill(head);
    std::uint32_t fields[2];
    std::memcpy(fields, head.data() + 4, sizeof fields);
    body.resize(ntohl(fields[1]));
    fill(body);
    return ntohl(fields[0]);
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

std::size_t count_of(std::string_view text, std::string_view what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + what.size()))
    ++count;
  return count;
}

double tasks_per_second(int port, const std::string& function, std::size_t tasks, std::size_t batch_size,
                        std::size_t in_flight, std::size_t bytes) {
  std::mt19937_64 random(std::random_device{}());
  std::vector<std::string> packets;
  for (std::size_t left = tasks; left > 0; left -= std::min(left, batch_size)) {
    packets.push_back(make_packet(function, std::min(left, batch_size), bytes, random));
  }
  Connection connection(port);
  const auto start = std::chrono::steady_clock::now();
  std::size_t sent = 0, answered = 0, succeeded = 0, received = 0;
  std::string body;
  // Keep so many batches in the hands of the server; for each that comes back, send the next.
  while (answered < packets.size()) {
    while (sent < packets.size() && sent - answered < in_flight) connection.send(packets[sent++]);
    const std::uint32_t kind = connection.receive(body);
    if (kind == job_created) continue;
    if (kind != work_complete)
      throw std::runtime_error("a batch came back with packet " + std::to_string(kind));
    succeeded += count_of(body, "\"exitCode\":0,");
    received += body.size();
    ++answered;
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  if (succeeded != tasks) {
    throw std::runtime_error(std::to_string(succeeded) + " of " + std::to_string(tasks) +
                             " tasks ended well");
  }
  if (received < tasks * bytes) throw std::runtime_error("output is missing");
  return static_cast<double>(tasks) / seconds.count();
}

}  // namespace

int main(int count, char** arguments) try {
  if (count != 6 && count != 7)
    throw std::runtime_error("load PORT FUNCTION TASKS BATCH_SIZE IN_FLIGHT [BYTES]");
  std::printf("%.2f\n", tasks_per_second(std::stoi(arguments[1]), arguments[2], std::stoul(arguments[3]),
                                         std::stoul(arguments[4]), std::stoul(arguments[5]),
                                         count == 7 ? std::stoul(arguments[6]) : 0));
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "load: %s\n", error.what());
  return 1;
}
