#include "worker/module_host.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <optional>
#include <system_error>

#include <spdlog/spdlog.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "worker/host/control_socket.hpp"
#include "worker/host_environment.hpp"
#include "worker/log.hpp"
#include "worker/subprocess.hpp"

namespace quire {

namespace asio = boost::asio;
using host_protocol::HostMessage;

struct ModuleHost::Impl : std::enable_shared_from_this<ModuleHost::Impl> {
  Impl(asio::io_context& loop, const Module& module, const Settings& settings, Events listener)
      : name(module.name),
        start_limit(settings.host_start_limit),
        events(std::move(listener)),
        control(loop),
        text(loop),
        start_timer(loop) {}

  void start(asio::io_context& loop, const Module& module, const Settings& settings, const Options& options) {
    auto [ours, theirs] = control_socket_pair();
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
    const Descriptor text_writer(ends[1]);
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    text.assign(ends[0]);
    control.assign(ours.release());

    Subprocess::Launch launch;
    const std::vector<std::string> command = host_command(module, settings, options.guarded);
    launch.program = command.front();
    launch.arguments.assign(command.begin() + 1, command.end());
    launch.environment = host_environment(settings);
    // The loader then looks symbols up once, in the host, and not in every fork of it anew. Hosts of ours take
    // the variable away again.
    if (module.kind != ModuleKind::python) launch.environment.push_back(host_protocol::bind_now);
    launch.no_new_privileges = settings.no_new_privileges;
    launch.descriptors = {
        {text_writer.get(), 1}, {text_writer.get(), 2}, {theirs.get(), host_protocol::control_descriptor}};
    if (options.held_descriptor >= 0) {
      launch.descriptors.emplace_back(options.held_descriptor, host_protocol::held_descriptor);
    }
    process.emplace(loop, launch, [this](ExitStatus status) { on_end(status); });

    start_timer.expires_after(std::chrono::seconds(start_limit));
    start_timer.async_wait([self = shared_from_this()](boost::system::error_code error) {
      if (error || self->is_ready || !self->process) return;
      self->too_late = true;
      self->why = "The module " + self->name + " was not loaded within " + std::to_string(self->start_limit) +
                  " seconds (host_start_limit).";
      self->process->signal(SIGKILL);
    });
    listen();
    listen_to_text();
  }

  void listen() {
    control.async_wait(asio::posix::descriptor_base::wait_read,
                       [self = shared_from_this()](boost::system::error_code error) {
                         if (!error && self->process && self->receive_all()) self->listen();
                       });
  }

  // Takes every packet that is there. False when no more will come.
  bool receive_all() {
    Packet packet;
    while (process) {
      switch (receive_packet(control.native_handle(), packet)) {
        case Receive::nothing:
          return true;
        case Receive::closed:
          return false;
        case Receive::packet:
          break;
      }
      const std::optional<HostMessage> message = host_protocol::decode_host_message(packet.text);
      if (!message) {
        logs::host()->error("module {}: its host (pid {}) sent what is not a message: {}", name,
                            process->pid(), packet.text);
        continue;
      }
      switch (message->kind) {
        case HostMessage::Kind::ready:
          is_ready = true;
          start_timer.cancel();
          if (events.ready) {
            host_protocol::Ready ready = message->ready;
            ready.metrics = std::move(metrics);
            events.ready(ready);
          }
          break;
        case HostMessage::Kind::metric:
          if (!is_ready) metrics.push_back(message->text);
          break;
        case HostMessage::Kind::failed:
          why = message->text;
          break;
        default:
          if (events.subset) events.subset(*message);
      }
    }
    return false;
  }

  void on_end(ExitStatus status) {
    const auto self = shared_from_this();  // the owner may let go of us in the last event
    // What the host said before it ended may still be in the socket.
    receive_all();
    read_text();
    if (!is_ready && why.empty())
      why = "The host of module " + name + " " + status.describe() + " while it loaded the module.";
    const auto gone = std::move(events.gone);
    events = {};
    if (gone) gone({status, why, too_late});
  }

  // What a module prints when it is loaded, and what its host has to say, goes to the log line by line.
  void listen_to_text() {
    text.async_wait(asio::posix::descriptor_base::wait_read,
                    [self = shared_from_this()](boost::system::error_code error) {
                      if (!error && self->process && self->read_text()) self->listen_to_text();
                    });
  }

  bool read_text() {
    std::array<char, 4096> buffer;
    ssize_t got;
    while ((got = ::read(text.native_handle(), buffer.data(), buffer.size())) > 0) {
      lines.append(buffer.data(), static_cast<std::size_t>(got));
      std::size_t end;
      while ((end = lines.find('\n')) != std::string::npos || lines.size() > buffer.size()) {
        end = std::min(end, lines.size());
        logs::host()->info("module {}: {}", name, lines.substr(0, end));
        lines.erase(0, end + 1);
      }
    }
    return got < 0 && (errno == EAGAIN || errno == EINTR);
  }

  const std::string name;
  const std::size_t start_limit;
  Events events;
  asio::posix::stream_descriptor control;
  asio::posix::stream_descriptor text;
  asio::steady_timer start_timer;
  std::optional<Subprocess> process;
  std::string lines;
  std::string why;
  bool is_ready = false;
  std::vector<std::string> metrics;  // that came before it was
  bool too_late = false;
};

ModuleHost::ModuleHost(asio::io_context& loop, const Module& module, const Settings& settings,
                       const Options& options, Events events)
    : impl_(std::make_shared<Impl>(loop, module, settings, std::move(events))) {
  impl_->start(loop, module, settings, options);
}

ModuleHost::~ModuleHost() {
  impl_->events = {};
  boost::system::error_code ignored;
  impl_->start_timer.cancel();
  impl_->control.close(ignored);
  impl_->text.close(ignored);
  impl_->process.reset();
}

bool ModuleHost::send(const host_protocol::WorkerMessage& message, const std::vector<int>& descriptors) {
  return send_packet(impl_->control.native_handle(), encode(message), descriptors);
}

void ModuleHost::close() {
  boost::system::error_code ignored;
  impl_->control.close(ignored);
}

void ModuleHost::signal(int number) {
  if (impl_->process) impl_->process->signal(number);
}

int ModuleHost::pid() const { return impl_->process ? impl_->process->pid() : 0; }

}  // namespace quire
