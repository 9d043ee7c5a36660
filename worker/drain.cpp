#include "worker/drain.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "worker/host/descriptor.hpp"

namespace quire {

namespace asio = boost::asio;

struct Drain::Impl : std::enable_shared_from_this<Drain::Impl> {
  Impl(asio::io_context& loop, const host_protocol::Nonce& nonce, std::size_t jobs, std::size_t limit)
      : text(nonce, jobs, limit), watch(loop), pause(loop) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
    reader = Descriptor(ends[0]);
    writer = Descriptor(ends[1]);
    ::fcntl(reader.get(), F_SETFL, O_NONBLOCK);
  }
  ~Impl() { stop_watching(); }

  // A pipe holds 64 KiB and most subsets write little or nothing: reading now and then while something comes,
  // and watching the pipe only while nothing does, saves a wake-up for every marker, without making a process
  // wait that writes much. Most subsets have ended before the first pause has.
  void rest() {
    pause.expires_after(std::chrono::milliseconds(2));
    pause.async_wait([self = shared_from_this()](boost::system::error_code error) {
      if (!error && self->reader) self->go_on();
    });
  }

  void go_on() {
    switch (read_all()) {
      case Read::nothing:
        return listen();
      case Read::little:
        return rest();
      case Read::much:
        return asio::post(pause.get_executor(), [self = shared_from_this()] {
          if (self->reader) self->go_on();
        });
      case Read::closed:
        return;
    }
  }

  // The loop hears of every write to a pipe that it watches, so it watches only until the first one.
  void listen() {
    boost::system::error_code cannot;
    watch.assign(reader.get(), cannot);
    if (cannot) return rest();
    watch.async_wait(asio::posix::descriptor_base::wait_read,
                     [self = shared_from_this()](boost::system::error_code error) {
                       self->stop_watching();
                       if (!error && self->reader) self->go_on();
                     });
  }

  void stop_watching() {
    if (watch.is_open()) watch.release();
  }

  enum class Read { nothing, little, much, closed };
  // Reads until the pipe is empty, or has given so much that others should have their turn.
  Read read_all() {
    static thread_local std::array<char, 64 * 1024> buffer;
    std::size_t total = 0;
    while (total < 16 * buffer.size()) {
      const ssize_t got = ::read(reader.get(), buffer.data(), buffer.size());
      if (got > 0) {
        text.feed({buffer.data(), static_cast<std::size_t>(got)});
        total += static_cast<std::size_t>(got);
      } else if (got < 0 && errno == EINTR) {
        continue;
      } else if (got < 0 && errno == EAGAIN) {
        return total == 0 ? Read::nothing : total < buffer.size() / 2 ? Read::little : Read::much;
      } else {
        return Read::closed;
      }
    }
    return Read::much;
  }

  CapturedText text;
  Descriptor writer;
  Descriptor reader;
  asio::posix::stream_descriptor watch;  // of the reader, which it does not own
  asio::steady_timer pause;
};

Drain::Drain(asio::io_context& loop, const host_protocol::Nonce& nonce, std::size_t jobs, std::size_t limit)
    : impl_(std::make_shared<Impl>(loop, nonce, jobs, limit)) {}

Drain::~Drain() {
  impl_->pause.cancel();
  impl_->stop_watching();
  impl_->reader.reset();
}

int Drain::writing_end() const { return impl_->writer.get(); }

void Drain::start() {
  impl_->writer.reset();
  impl_->rest();
}

void Drain::take() {
  if (impl_->reader) impl_->read_all();
}

void Drain::finish() {
  impl_->pause.cancel();
  impl_->stop_watching();
  if (impl_->reader) impl_->read_all();
  impl_->reader.reset();
  impl_->text.finish();
}

const CapturedText& Drain::text() const { return impl_->text; }

}  // namespace quire
