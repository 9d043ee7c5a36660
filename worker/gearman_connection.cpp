// One room although it is long: what libgearman sends and what we send over the same socket must fit together
// packet by packet.
#include "worker/gearman_connection.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <set>
#include <utility>

#include <libgearman/gearman.h>
#include <spdlog/spdlog.h>

#include "worker/log.hpp"
#include "worker/socket_search.hpp"

namespace quire {

namespace {

// How long a server may take to take or give the next piece of a message.
constexpr int io_timeout_milliseconds = 30'000;

// libgearman gives the socket 32 kB, over which a large reply crawls: each piece waits for the last one's
// acknowledgement.
constexpr int socket_buffer = 4 * 1024 * 1024;

// A packet of the Gearman protocol: "\0REQ" or "\0RES", u32 type, u32 size; big-endian.
constexpr std::size_t header_size = 12;
constexpr std::size_t most_we_read = 4096;  // of what is not for libgearman
enum class PacketType : std::uint32_t {
  can_do = 1,
  cant_do = 2,
  pre_sleep = 4,
  noop = 6,
  no_job = 10,
  job_assign = 11,
  echo_req = 16,
  echo_res = 17,
  error = 19,
  job_assign_uniq = 31,
  grab_job_all = 39,
  job_assign_all = 40,
};

struct WorkerDeleter {
  void operator()(gearman_worker_st* worker) const { gearman_worker_free(worker); }
};

}  // namespace

// Freed with the worker where the connection goes first.
class GearmanConnection::Job {
 public:
  explicit Job(gearman_job_st* given) : job(given) {}
  gearman_job_st* job;
};

struct GearmanConnection::Impl {
  Impl(const JobServer& given, const FunctionPrefix& given_prefix)
      : address(given), server(given.name()), prefix(given_prefix), worker(gearman_worker_create(nullptr)) {
    if (!worker) throw ConnectionLost("out of memory");
  }

  void connect(const std::string& identifier, const std::vector<std::string>& functions) {
    gearman_worker_set_timeout(worker.get(), io_timeout_milliseconds);
    check(gearman_worker_add_server(worker.get(), address.host.c_str(), address.port), "cannot be used");
    for (const std::string& function : functions) {
      check(gearman_worker_register(worker.get(), prefix.on_server(function).c_str(), 0),
            "refuses a function");
    }
    const SocketSearch search;
    check(gearman_worker_set_identifier(worker.get(), identifier.data(), identifier.size()),
          "cannot be reached");
    descriptor = search.new_tcp_socket(address.port);
    if (descriptor < 0) throw ConnectionLost(server + " cannot be reached");
    ::setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &socket_buffer, sizeof socket_buffer);
    ::setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &socket_buffer, sizeof socket_buffer);
    const int on = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const int idle_seconds = 30;
    const int probe_seconds = 10;
    const int unanswered_milliseconds = 60'000;
    ::setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, &idle_seconds, sizeof idle_seconds);
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, &probe_seconds, sizeof probe_seconds);
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered_milliseconds,
                 sizeof unanswered_milliseconds);
  }

  void check(gearman_return_t result, const char* what) const {
    if (gearman_success(result)) return;
    const char* error = gearman_worker_error(worker.get());
    throw ConnectionLost(server + " " + what + ": " + (error != nullptr ? error : gearman_strerror(result)));
  }

  // How we steer. Between two jobs libgearman waits in gearman_worker_grab_job() for the answer to GRAB_JOB,
  // or, without blocking, can be told to come back for it; but given NO_JOB it loses its place and crashes in
  // the next call, and PRE_SLEEP is sent by its own loop only. So it never sees a NO_JOB or a NOOP: we look
  // at each header first, take these two out of the stream and answer them, and call it when a job has
  // arrived.
  //
  //   ask():   libgearman sends GRAB_JOB and waits                    (state: asking)
  //   take():  NO_JOB → we send PRE_SLEEP          (sleeping)
  //            NOOP → we send GRAB_JOB
  //            JOB_ASSIGN → libgearman reads the job    (no longer asking)
  //
  // The cork holds GRAB_JOB back until libgearman has found out that there is no answer yet.
  void ask() {
    set_cork(true);
    gearman_worker_add_options(worker.get(), GEARMAN_WORKER_NON_BLOCKING);
    gearman_return_t result = GEARMAN_SUCCESS;
    gearman_worker_grab_job(worker.get(), nullptr, &result);
    gearman_worker_remove_options(worker.get(), GEARMAN_WORKER_NON_BLOCKING);
    set_cork(false);
    if (result != GEARMAN_IO_WAIT) lost(result);
    asking = true;
    ++questions;
  }

  std::unique_ptr<Taken> take() {
    for (;;) {
      const std::optional<Header> header = peek();
      if (!header) return nullptr;
      ++heard;
      switch (header->type) {
        case PacketType::no_job:
          read_packet();
          if (!stopped) send(PacketType::pre_sleep);
          sleeping = true;
          answers = questions;
          break;
        case PacketType::noop:
          read_packet();
          wake_up();
          break;
        case PacketType::echo_res:
        case PacketType::error: {
          if (!is_whole(*header)) return nullptr;
          const std::string body = read_packet(header->size);
          if (header->type == PacketType::echo_res) {
            echoed = std::strtoull(body.c_str(), nullptr, 10);
          } else {
            ++refused;
            logs::gearman()->warn("job server {} refused something: {}", server,
                                  body.substr(body.find('\0') + 1));
          }
          break;
        }
        case PacketType::job_assign:
        case PacketType::job_assign_uniq:
        case PacketType::job_assign_all:
          return grab();
        default:
          throw ConnectionLost(server + " sent a packet that no worker expects (type " +
                               std::to_string(static_cast<std::uint32_t>(header->type)) + ")");
      }
    }
  }

  // One question is open at a time: who does not sleep has asked already.
  void wake_up() {
    if (!sleeping || stopped) return;
    woken = held;
    if (held) return;
    sleeping = false;
    send(PacketType::grab_job_all);
    ++questions;
  }

  void hold(bool on) {
    held = on;
    if (!held && std::exchange(woken, false)) wake_up();
  }

  void offer(std::string_view function) {
    send(PacketType::can_do, prefix.on_server(function));
    wake_up();  // the server wakes nobody for the jobs that wait for this function already
  }

  std::unique_ptr<Taken> grab() {
    gearman_return_t result = GEARMAN_SUCCESS;
    gearman_job_st* job = gearman_worker_grab_job(worker.get(), nullptr, &result);
    if (job == nullptr) lost(result);
    asking = false;
    answers = questions;
    auto taken = std::make_unique<Taken>();
    taken->job = std::make_shared<Job>(job);
    const char* const name = gearman_job_function_name(job);
    taken->delivery.function = prefix.function_of(name).value_or(name);
    taken->delivery.handle = gearman_job_handle(job);
    if (const char* unique = gearman_job_unique(job)) taken->delivery.unique = unique;
    taken->delivery.workload.assign(static_cast<const char*>(gearman_job_workload(job)),
                                    gearman_job_workload_size(job));
    taken->delivery.server = server;
    return taken;
  }

  [[noreturn]] void lost(gearman_return_t result) const {
    throw ConnectionLost(server + " was lost: " + gearman_strerror(result));
  }

  struct Header {
    PacketType type;
    std::uint32_t size;  // of what follows
  };

  // The header of the next packet. Nothing when it is not there yet.
  std::optional<Header> peek() const {
    std::array<unsigned char, header_size> header;
    const ssize_t got = ::recv(descriptor, header.data(), header.size(), MSG_PEEK | MSG_DONTWAIT);
    if (got == 0) throw ConnectionLost(server + " closed the connection");
    if (got < 0 && errno != EAGAIN && errno != EINTR) {
      throw ConnectionLost(server + " was lost: " + std::strerror(errno));
    }
    if (got < static_cast<ssize_t>(header.size())) return std::nullopt;
    std::uint32_t numbers[2];
    std::memcpy(numbers, header.data() + 4, sizeof numbers);
    return Header{static_cast<PacketType>(ntohl(numbers[0])), ntohl(numbers[1])};
  }

  // Whether the packet that begins so is there to its end. Throws where that can never be.
  bool is_whole(const Header& header) const {
    if (header.size > most_we_read) throw ConnectionLost(server + " sent a packet that is too long");
    int waiting = 0;
    return ::ioctl(descriptor, FIONREAD, &waiting) == 0 &&
           static_cast<std::size_t>(waiting) >= header_size + header.size;
  }

  // Takes a packet that is there to its end out of the stream, and gives what follows its header.
  std::string read_packet(std::size_t size = 0) const {
    std::string packet(header_size + size, '\0');
    if (::recv(descriptor, packet.data(), packet.size(), 0) != static_cast<ssize_t>(packet.size())) {
      throw ConnectionLost(server + " was lost");
    }
    return packet.substr(header_size);
  }

  // Packets of the protocol that libgearman would only send from its own loop.
  void send(PacketType type, std::string_view argument = {}) const {
    std::string packet("\0REQ", 4);
    for (const std::uint32_t number :
         {static_cast<std::uint32_t>(type), static_cast<std::uint32_t>(argument.size())}) {
      const std::uint32_t bytes = htonl(number);
      packet.append(reinterpret_cast<const char*>(&bytes), sizeof bytes);
    }
    packet += argument;
    for (std::string_view left = packet; !left.empty();) {
      const ssize_t sent = ::send(descriptor, left.data(), left.size(), MSG_NOSIGNAL);
      if (sent > 0) {
        left.remove_prefix(static_cast<std::size_t>(sent));
      } else if (errno == EAGAIN) {
        wait_until_writable();
      } else if (errno != EINTR) {
        throw ConnectionLost(server + " was lost: " + std::strerror(errno));
      }
    }
  }

  void wait_until_writable() const;

  void set_cork(int on) const { ::setsockopt(descriptor, IPPROTO_TCP, TCP_CORK, &on, sizeof on); }

  const JobServer address;
  const std::string server;  // its name, for people
  const FunctionPrefix prefix;
  std::unique_ptr<gearman_worker_st, WorkerDeleter> worker;
  int descriptor = -1;
  bool asking = false;
  bool stopped = false;
  bool sleeping = false;  // asking, and the server will say NOOP when there is something
  bool held = false;
  bool woken = false;  // the server has said so while we were held
  std::uint64_t questions = 0;
  std::uint64_t answers = 0;
  std::uint64_t heard = 0;
  std::uint64_t echoed = 0;
  std::uint64_t refused = 0;
};

void GearmanConnection::Impl::wait_until_writable() const {
  pollfd waiting{descriptor, POLLOUT, 0};
  if (::poll(&waiting, 1, io_timeout_milliseconds) == 0)
    throw ConnectionLost(server + " takes nothing any more");
}

GearmanConnection::GearmanConnection(const JobServer& server, const std::string& identifier,
                                     const FunctionPrefix& prefix, const std::vector<std::string>& functions)
    : impl_(std::make_unique<Impl>(server, prefix)) {
  impl_->connect(identifier, functions);
}

GearmanConnection::~GearmanConnection() = default;

int GearmanConnection::descriptor() const { return impl_->descriptor; }
void GearmanConnection::ask() { impl_->ask(); }
bool GearmanConnection::asking() const { return impl_->asking; }
std::unique_ptr<GearmanConnection::Taken> GearmanConnection::take() { return impl_->take(); }
void GearmanConnection::withdraw(std::string_view function) {
  impl_->send(PacketType::cant_do, impl_->prefix.on_server(function));
}
void GearmanConnection::offer(std::string_view function) { impl_->offer(function); }
void GearmanConnection::hold(bool held) { impl_->hold(held); }
void GearmanConnection::probe(std::uint64_t number) {
  impl_->send(PacketType::echo_req, std::to_string(number));
}
std::uint64_t GearmanConnection::echoed() const { return impl_->echoed; }
std::uint64_t GearmanConnection::questions() const { return impl_->questions; }
std::uint64_t GearmanConnection::answers() const { return impl_->answers; }
std::uint64_t GearmanConnection::heard() const { return impl_->heard; }
std::uint64_t GearmanConnection::refused() const { return impl_->refused; }
void GearmanConnection::stop_asking() { impl_->stopped = true; }
bool GearmanConnection::question_open() const { return impl_->asking && !impl_->sleeping; }

void GearmanConnection::complete(Job& job, std::string_view reply) {
  const gearman_return_t result = gearman_job_send_complete(job.job, reply.data(), reply.size());
  if (gearman_failed(result)) impl_->lost(result);
  gearman_job_free(job.job);
}

void GearmanConnection::fail(Job& job) {
  const gearman_return_t result = gearman_job_send_fail(job.job);
  if (gearman_failed(result)) impl_->lost(result);
  gearman_job_free(job.job);
}

}  // namespace quire
