// One room although it is long: Beast is included here and nowhere else, since it takes long to compile.
#include "worker/http_server.hpp"

#include <algorithm>
#include <atomic>
#include <cctype>
#include <optional>
#include <stdexcept>
#include <thread>

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include "worker/back_off.hpp"
#include "worker/log.hpp"

namespace quire {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::uint32_t longest_header = 16 * 1024;

// HOST:PORT, as the settings have it.
tcp::endpoint parse_endpoint(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  if (host == "localhost") host = "127.0.0.1";
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  error_code error;
  const auto ip = asio::ip::make_address(host, error);
  unsigned port = 65536;
  const std::string digits = colon == address.npos ? "" : address.substr(colon + 1);
  if (!digits.empty() && digits.size() <= 5 &&
      std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; }))
    port = static_cast<unsigned>(std::stoul(digits));
  if (error || port > 65535) {
    throw std::invalid_argument("\"" + address +
                                "\" is not an address; write IP:PORT, such as 127.0.0.1:9100.");
  }
  return {ip, static_cast<unsigned short>(port)};
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const int lower = std::tolower(static_cast<unsigned char>(c));
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string decode_url(std::string_view text, bool plus_is_space) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      decoded += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      decoded += text[i] == '+' && plus_is_space ? ' ' : text[i];
    }
  }
  return decoded;
}

std::string_view first_of(const std::vector<std::pair<std::string, std::string>>& pairs,
                          std::string_view name) {
  const auto found = std::ranges::find_if(pairs, [&](const auto& pair) { return pair.first == name; });
  return found == pairs.end() ? std::string_view() : found->second;
}

HttpRequest our_request(const http::request<http::string_body>& message) {
  const std::string_view target(message.target().data(), message.target().size());
  const std::size_t question = target.find('?');
  HttpRequest request{.method = std::string(message.method_string()),
                      .path = decode_url(target.substr(0, question), false),
                      .query = {},
                      .headers = {},
                      .body = message.body()};
  if (question != target.npos) request.query = decode_form(target.substr(question + 1));
  for (const auto& field : message) {
    std::string name(field.name_string());
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    request.headers.emplace_back(std::move(name), std::string(field.value()));
  }
  return request;
}

// What the connections share with their server.
struct Shared {
  const HttpServer::Options options;
  const HttpServer::Handler handler;
  std::size_t connections = 0;

  HttpResponse answer(const HttpRequest& request) const try {
    return handler(request);
  } catch (const std::exception& error) {
    logs::web()->error("{}: {} {}: {}", options.what, request.method, request.path, error.what());
    return {.status = 500, .body = "This cannot be shown: " + std::string(error.what()) + "\n"};
  }
};

// One connection: request, answer, and so on, until either side has enough.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, std::shared_ptr<Shared> shared)
      : stream_(std::move(socket)), shared_(std::move(shared)) {
    ++shared_->connections;
  }
  ~Connection() { --shared_->connections; }

  // The first byte may be long in coming, as on any connection that is kept open; then the rest must follow.
  void read() {
    if (buffer_.size() > 0) return read_request();
    stream_.expires_after(shared_->options.keep_alive);
    stream_.async_read_some(buffer_.prepare(4096),
                            [self = shared_from_this()](error_code error, std::size_t size) {
                              if (error) return;
                              self->buffer_.commit(size);
                              self->read_request();
                            });
  }

 private:
  void read_request() {
    parser_.emplace();
    parser_->header_limit(longest_header);
    parser_->body_limit(shared_->options.longest_body);
    stream_.expires_after(shared_->options.patience);
    http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](error_code error, std::size_t) {
      if (!error) return self->answer();
      if (error == http::error::header_limit)
        return self->refuse(431, "The request's headers are too long.\n");
      if (error == http::error::body_limit) return self->refuse(413, "The request's body is too long.\n");
      // What is not HTTP is answered, and a client that has gone or dawdles is not.
      if (error.category() == make_error_code(http::error::bad_method).category() &&
          error != http::error::end_of_stream && error != http::error::partial_message)
        self->refuse(400, "That is not a request that can be understood.\n");
    });
  }

  void refuse(unsigned status, std::string text) {
    keep_alive_ = false;
    is_head_ = false;
    version_ = 11;
    write({.status = status, .body = std::move(text)});
  }

  void answer() {
    const http::request<http::string_body> message = parser_->release();
    keep_alive_ = message.keep_alive();
    version_ = message.version();
    is_head_ = message.method() == http::verb::head;
    if (message.method() != http::verb::get && message.method() != http::verb::post && !is_head_) {
      return write({.status = 405,
                    .body = "Only GET, HEAD and POST are answered.\n",
                    .headers = {{"Allow", "GET, HEAD, POST"}}});
    }
    write(shared_->answer(our_request(message)));
  }

  void write(HttpResponse response) {
    more_ = std::move(response.more);
    // A client of HTTP 1.0 takes the end of the connection for the end of the body.
    const bool chunked = more_ && version_ >= 11;
    if (more_ && !chunked) keep_alive_ = false;
    http::response<http::string_body> message(static_cast<http::status>(response.status), version_);
    message.set(http::field::content_type, response.type);
    message.set("X-Content-Type-Options", "nosniff");
    for (const auto& [name, value] : response.headers) message.insert(name, value);
    message.keep_alive(keep_alive_);
    if (chunked)
      message.chunked(true);
    else if (!more_)
      message.content_length(response.body.size());
    if (!is_head_) message.body() = std::move(response.body);
    if (is_head_) more_ = {};
    response_ = std::move(message);
    stream_.expires_after(shared_->options.patience);
    if (!more_) {
      // Of an answer to HEAD the headers only: the length that they tell is not that of the body.
      serializer_.emplace(*response_);
      if (is_head_) return http::async_write_header(stream_, *serializer_, done());
      return http::async_write(stream_, *serializer_, done());
    }
    piece_ = std::move(response_->body());
    response_->body().clear();
    serializer_.emplace(*response_);
    http::async_write_header(stream_, *serializer_,
                             [self = shared_from_this(), chunked](error_code error, std::size_t) {
                               if (!error) self->write_piece(chunked);
                             });
  }

  // The next piece of a long body; each has its own time.
  void write_piece(bool chunked) {
    try {
      if (piece_.empty()) piece_ = more_();
    } catch (const std::exception& error) {
      logs::web()->error("{}: an answer ends before it is whole: {}", shared_->options.what, error.what());
      return;
    }
    stream_.expires_after(shared_->options.patience);
    const bool last = piece_.empty();
    const auto next = [self = shared_from_this(), chunked, last](error_code error, std::size_t) {
      if (error) return;
      self->piece_.clear();
      if (!last) return self->write_piece(chunked);
      self->finish();
    };
    if (last && !chunked) return finish();
    if (last) return asio::async_write(stream_, http::make_chunk_last(), next);
    if (chunked) return asio::async_write(stream_, http::make_chunk(asio::buffer(piece_)), next);
    asio::async_write(stream_, asio::buffer(piece_), next);
  }

  std::function<void(error_code, std::size_t)> done() {
    return [self = shared_from_this()](error_code error, std::size_t) {
      if (!error) self->finish();
    };
  }

  void finish() {
    serializer_.reset();
    response_.reset();
    more_ = {};
    if (keep_alive_) return read();
    error_code ignored;  // it may have gone
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
  }

  beast::tcp_stream stream_;
  const std::shared_ptr<Shared> shared_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::string_body>> response_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
  std::function<std::string()> more_;
  std::string piece_;
  bool keep_alive_ = false;
  bool is_head_ = false;
  unsigned version_ = 11;
};

}  // namespace

struct HttpServer::Impl {
  Impl(Options options, Handler handler)
      : endpoint(parse_endpoint(options.address)),
        shared(std::make_shared<Shared>(Shared{std::move(options), std::move(handler)})) {
    listen();
    thread = std::thread([this] { loop.run(); });
  }

  ~Impl() {
    loop.stop();
    thread.join();
  }

  // Another program may have the port.
  void listen() try {
    acceptor = tcp::acceptor(loop, endpoint);  // with SO_REUSEADDR
    port = acceptor->local_endpoint().port();
    logs::web()->info("{}: on http://{}:{}/", shared->options.what, host(), port.load());
    pause.reset();
    told = false;
    accept();
  } catch (const boost::system::system_error& error) {
    acceptor.reset();
    if (!std::exchange(told, true)) {
      logs::web()->error("{}: cannot listen on {}: {}. It is tried again and again; the worker runs without.",
                         shared->options.what, shared->options.address, error.code().message());
    }
    timer.expires_after(pause.next());
    timer.async_wait([this](error_code cancelled) {
      if (!cancelled) listen();
    });
  }

  std::string host() const {
    const std::string ip = endpoint.address().to_string();
    return endpoint.address().is_v6() ? "[" + ip + "]" : ip;
  }

  void accept() {
    acceptor->async_accept([this](error_code error, tcp::socket socket) {
      if (error) {
        // Out of descriptors, most likely: soon there may be one.
        timer.expires_after(std::chrono::milliseconds(100));
        return timer.async_wait([this](error_code cancelled) {
          if (!cancelled) accept();
        });
      }
      // One too many is closed at once.
      if (shared->connections < shared->options.most_connections)
        std::make_shared<Connection>(std::move(socket), shared)->read();
      accept();
    });
  }

  const tcp::endpoint endpoint;
  std::atomic<unsigned short> port = 0;
  std::shared_ptr<Shared> shared;
  asio::io_context loop{1};
  std::optional<tcp::acceptor> acceptor;
  asio::steady_timer timer{loop};
  BackOff pause{std::chrono::milliseconds(500), std::chrono::milliseconds(30'000)};
  bool told = false;
  std::thread thread;  // last: it uses all of the above
};

HttpServer::HttpServer(Options options, Handler handler)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(handler))) {}

HttpServer::~HttpServer() = default;

unsigned short HttpServer::port() const { return impl_->port; }

std::string_view HttpRequest::header(std::string_view name) const { return first_of(headers, name); }
std::string_view HttpRequest::parameter(std::string_view name) const { return first_of(query, name); }

std::vector<std::pair<std::string, std::string>> decode_form(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> pairs;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view item = text.substr(0, end);
    const std::size_t equals = std::min(item.find('='), item.size());
    if (!item.empty()) {
      pairs.emplace_back(decode_url(item.substr(0, equals), true),
                         equals < item.size() ? decode_url(item.substr(equals + 1), true) : "");
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return pairs;
}

std::string encode_url(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 ||
        std::string_view("-._~").find(c) != std::string_view::npos)
      encoded += c;
    else
      fmt::format_to(std::back_inserter(encoded), "%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

}  // namespace quire
