#include "worker/drain.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "worker/host/descriptor.hpp"

namespace quire {

namespace asio = boost::asio;

struct Drain::Impl : std::enable_shared_from_this<Drain::Impl> {
  Impl(asio::io_context& loop, const host_protocol::Nonce& nonce, std::size_t jobs, std::size_t limit)
      : text(nonce, jobs, limit), reader(loop), pause(loop) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
    writer = Descriptor(ends[1]);
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    reader.assign(ends[0]);
  }

  // A pipe holds 64 KiB and most subsets write little or nothing: reading a moment after the first byte, and
  // not at every one, saves the wake-ups without making a process wait that writes much.
  void rest() {
    pause.expires_after(std::chrono::milliseconds(2));
    pause.async_wait([self = shared_from_this()](boost::system::error_code error) {
      if (!error) self->listen();
    });
  }

  void listen() {
    reader.async_wait(asio::posix::descriptor_base::wait_read,
                      [self = shared_from_this()](boost::system::error_code error) {
                        if (error || !self->reader.is_open()) return;
                        const Read read = self->read_all();
                        if (read == Read::much) self->listen();
                        if (read == Read::little) self->rest();
                      });
  }

  enum class Read { little, much, closed };
  // Reads until the pipe is empty, or has given so much that others should have their turn.
  Read read_all() {
    static thread_local std::array<char, 64 * 1024> buffer;
    std::size_t total = 0;
    while (total < 16 * buffer.size()) {
      const ssize_t got = ::read(reader.native_handle(), buffer.data(), buffer.size());
      if (got > 0) {
        text.feed({buffer.data(), static_cast<std::size_t>(got)});
        total += static_cast<std::size_t>(got);
      } else if (got < 0 && errno == EINTR) {
        continue;
      } else if (got < 0 && errno == EAGAIN) {
        return total < buffer.size() / 2 ? Read::little : Read::much;
      } else {
        return Read::closed;
      }
    }
    return Read::much;
  }

  CapturedText text;
  Descriptor writer;
  asio::posix::stream_descriptor reader;
  asio::steady_timer pause;
};

Drain::Drain(asio::io_context& loop, const host_protocol::Nonce& nonce, std::size_t jobs, std::size_t limit)
    : impl_(std::make_shared<Impl>(loop, nonce, jobs, limit)) {}

Drain::~Drain() {
  boost::system::error_code ignored;
  impl_->pause.cancel();
  impl_->reader.close(ignored);
}

int Drain::writing_end() const { return impl_->writer.get(); }

void Drain::start() {
  impl_->writer.reset();
  impl_->rest();
}

void Drain::take() {
  if (impl_->reader.is_open()) impl_->read_all();
}

void Drain::finish() {
  impl_->pause.cancel();
  boost::system::error_code ignored;
  if (impl_->reader.is_open()) impl_->read_all();
  impl_->reader.close(ignored);
  impl_->text.finish();
}

const CapturedText& Drain::text() const { return impl_->text; }

}  // namespace quire
