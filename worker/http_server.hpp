// A small HTTP server on an address of its own: a thread takes requests one after the other and hands them to
// a function. Nothing that a client does or leaves undone holds up anybody but, for a while, that client:
// headers, bodies, connections and the time for each are limited.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace quire {

struct HttpRequest {
  std::string method;                                        // GET, HEAD or POST: others are refused before
  std::string path;                                          // decoded, without the query: "/tasks/a b"
  std::vector<std::pair<std::string, std::string>> query;    // decoded, in order
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;

  // The first of this name; empty where there is none.
  std::string_view header(std::string_view name) const;
  std::string_view parameter(std::string_view name) const;
};

struct HttpResponse {
  unsigned status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  // More of the body, piece by piece, for what is too long to be held at once: asked again until it gives
  // nothing. What it throws ends the connection.
  std::function<std::string()> more = {};
};

// The names and values of a form (application/x-www-form-urlencoded) or of a query, decoded, in order.
std::vector<std::pair<std::string, std::string>> decode_form(std::string_view text);

// The text as it stands in a URL: everything but letters, digits and -._~ as %XX.
std::string encode_url(std::string_view text);

class HttpServer {
 public:
  struct Options {
    std::string what;     // in the log: "metrics"
    std::string address;  // HOST:PORT: an IP address ([::1] in brackets) or localhost
    std::size_t most_connections = 64;
    std::size_t longest_body = 64 * 1024;
    std::chrono::milliseconds patience{
        10'000};  // for a request to come in as a whole, and an answer to be read
    std::chrono::milliseconds keep_alive{30'000};  // for the next request on a connection
  };
  // Called on the server's thread, one request at a time. What it throws is answered with 500.
  using Handler = std::function<HttpResponse(const HttpRequest&)>;

  // Listens from now on. An address that cannot be used, since somebody else listens there, say, is told in
  // the log and tried again and again. Throws std::invalid_argument where the address is none.
  HttpServer(Options options, Handler handler);

  // Closes all connections.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // 0: it does not listen yet. Where the address has port 0, the system has chosen one.
  unsigned short port() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace quire
