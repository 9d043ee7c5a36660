#include "worker/http_server.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <thread>

#include "worker/host/descriptor.hpp"

using namespace quire;
using namespace std::chrono_literals;

namespace {

// A client that sends what it is told, byte by byte if need be.
class Client {
 public:
  explicit Client(unsigned short port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }

  void send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;  // closed: what it has answered tells
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  // Until the text has come, or the server has closed the connection.
  std::string read_until(std::string_view end = "no such text") {
    while (received_.find(end) == std::string::npos) {
      pollfd waiting{socket_.get(), POLLIN, 0};
      if (::poll(&waiting, 1, 20'000) <= 0)
        throw std::runtime_error("the server says nothing and closes nothing");
      char buffer[65536];
      const ssize_t got = ::recv(socket_.get(), buffer, sizeof buffer, 0);
      if (got <= 0) break;
      received_.append(buffer, static_cast<std::size_t>(got));
    }
    return std::exchange(received_, {});
  }

 private:
  Descriptor socket_;
  std::string received_;
};

HttpResponse echo(const HttpRequest& request) {
  if (request.path == "/throws") throw std::runtime_error("on purpose");
  if (request.path == "/long") {
    return {.body = "first;",
            .more = [count = 0]() mutable { return ++count <= 3 ? std::string(count, 'x') + ";" : ""; }};
  }
  return {.body = request.method + " " + request.path + " a=" + std::string(request.parameter("a")) + " " +
                  std::string(request.header("x-test")) + " " + request.body};
}

HttpServer::Options options() { return {.what = "test", .address = "127.0.0.1:0"}; }

std::string get(const HttpServer& server, const std::string& target) {
  Client client(server.port());
  client.send("GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  return client.read_until();
}

}  // namespace

TEST_CASE("http: requests and answers") {
  const HttpServer server(options(), echo);
  SUBCASE("path and query are decoded") {
    const std::string answer = get(server, "/a%20b+c?b=1&a=x%2Fy+z%zz&a=2");
    CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(answer.find("X-Content-Type-Options: nosniff\r\n") != std::string::npos);
    CHECK(answer.ends_with("\r\n\r\nGET /a b+c a=x/y z%zz  "));
  }
  SUBCASE("a connection serves one request after the other, bodies included") {
    Client client(server.port());
    client.send("POST /one HTTP/1.1\r\nHost: x\r\nX-Test: yes\r\nContent-Length: 4\r\n\r\nbody");
    CHECK(client.read_until("body").ends_with("POST /one a= yes body"));
    client.send("GET /two HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(client.read_until("/two a=").find("GET /two a=") != std::string::npos);
  }
  SUBCASE("HEAD gets the headers of GET and no body") {
    Client client(server.port());
    client.send("HEAD /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const std::string answer = client.read_until();
    CHECK(answer.find("Content-Length: 12\r\n") != std::string::npos);
    CHECK(answer.ends_with("\r\n\r\n"));
  }
  SUBCASE("a long body comes in chunks, to a client of HTTP 1.0 until the connection ends") {
    CHECK(get(server, "/long")
              .ends_with("\r\n\r\n6\r\nfirst;\r\n2\r\nx;\r\n3\r\nxx;\r\n4\r\nxxx;\r\n0\r\n\r\n"));
    Client client(server.port());
    client.send("GET /long HTTP/1.0\r\n\r\n");
    CHECK(client.read_until().ends_with("\r\n\r\nfirst;x;xx;xxx;"));
  }
  SUBCASE("what the handler throws is answered, and the server goes on") {
    CHECK(get(server, "/throws").starts_with("HTTP/1.1 500 "));
    CHECK(get(server, "/x").starts_with("HTTP/1.1 200 "));
  }
  SUBCASE("other methods are refused") {
    Client client(server.port());
    client.send("DELETE /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const std::string answer = client.read_until();
    CHECK(answer.starts_with("HTTP/1.1 405 "));
    CHECK(answer.find("Allow: GET, HEAD, POST\r\n") != std::string::npos);
  }
}

TEST_CASE("http: what clients may do and leave undone") {
  HttpServer::Options limited = options();
  limited.patience = 200ms;
  limited.keep_alive = 200ms;
  limited.longest_body = 1000;
  limited.most_connections = 3;
  const HttpServer server(limited, echo);
  SUBCASE("headers and bodies that are too long are refused") {
    Client client(server.port());
    client.send("GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n");
    CHECK(client.read_until().starts_with("HTTP/1.1 431 "));
    Client other(server.port());
    other.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n" + std::string(1001, 'x'));
    CHECK(other.read_until().starts_with("HTTP/1.1 413 "));
  }
  SUBCASE("what is not HTTP is refused") {
    Client client(server.port());
    client.send("\x16\x03\x01 hello\r\n\r\n");
    CHECK(client.read_until().starts_with("HTTP/1.1 400 "));
  }
  SUBCASE("a client that says nothing, or half a request, is closed, and holds up nobody meanwhile") {
    Client silent(server.port());
    Client slow(server.port());
    slow.send("GET / HTTP/1.1\r\nHo");
    CHECK(get(server, "/x").starts_with("HTTP/1.1 200 "));
    CHECK(silent.read_until().empty());
    CHECK(slow.read_until().empty());
  }
  SUBCASE("one connection too many is closed, and there is room again when others have gone") {
    {
      Client one(server.port());
      Client two(server.port());
      Client three(server.port());
      for (Client* each : {&one, &two, &three}) {
        each->send("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
        each->read_until("GET /x");
      }
      Client four(server.port());
      four.send("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
      CHECK(four.read_until().empty());
      CHECK(three.read_until().empty());  // idle for too long
    }
    CHECK(get(server, "/x").starts_with("HTTP/1.1 200 "));
  }
}

TEST_CASE("http: the address") {
  SUBCASE("one that somebody else has is tried until it is free") {
    auto first = std::make_unique<HttpServer>(options(), echo);
    const unsigned short port = first->port();
    HttpServer::Options same = options();
    same.address = "127.0.0.1:" + std::to_string(port);
    const HttpServer second(same, echo);
    CHECK(second.port() == 0);
    first.reset();
    while (second.port() == 0) std::this_thread::sleep_for(10ms);
    CHECK(get(second, "/x").starts_with("HTTP/1.1 200 "));
  }
  SUBCASE("what is none is refused") {
    for (const char* address :
         {"", "127.0.0.1", "name.example:80", "127.0.0.1:x", "127.0.0.1:70000", ":80"}) {
      CAPTURE(address);
      HttpServer::Options wrong = options();
      wrong.address = address;
      CHECK_THROWS_AS(HttpServer(wrong, echo), std::invalid_argument);
    }
  }
}

TEST_CASE("http: forms and URLs") {
  CHECK(decode_form("a=1&b=x+y%21&&c&=d") ==
        std::vector<std::pair<std::string, std::string>>{{"a", "1"}, {"b", "x y!"}, {"c", ""}, {"", "d"}});
  CHECK(encode_url("a/b c&d=é~.") == "a%2Fb%20c%26d%3D%C3%A9~.");
}
