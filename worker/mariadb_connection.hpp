// A connection to MariaDB or MySQL: text statements in, rows out; only here is the client library.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "worker/mariadb_address.hpp"

struct st_mysql;

namespace quire {

// What the server, or the client library, says of a statement or a connection. Holds no password.
struct MariadbError : std::runtime_error {
  MariadbError(const std::string& what, unsigned number) : std::runtime_error(what), code(number) {}
  unsigned code;  // as the manuals have it: 1213 is a deadlock

  // The connection is of no use any more.
  bool connection_lost() const;
  // What was asked for was undone, and may go well when it is done again: a deadlock, a row that is locked.
  bool locked_out() const { return code == 1205 || code == 1213; }
  // It is what a value is that the server does not take, not how things stand.
  bool about_a_value() const;
  // An administrator has to change something, here or there: user, password, database.
  bool about_the_address() const;
};

// One thread at a time.
class MariadbConnection {
 public:
  // Connects within `patience`, which is also how long an answer of the server may take to begin. Throws
  // MariadbError.
  MariadbConnection(const MariadbAddress& address, std::chrono::seconds patience);
  ~MariadbConnection();
  MariadbConnection(const MariadbConnection&) = delete;
  MariadbConnection& operator=(const MariadbConnection&) = delete;

  using Row = std::vector<std::optional<std::string>>;
  struct Result {
    std::uint64_t matched = 0;  // rows that an UPDATE was about, changed or not
    std::vector<Row> rows;      // of a SELECT
  };

  // Sends statements, separated by ";", as one packet; gives a result for each. The first one that fails ends
  // it. Throws MariadbError.
  std::vector<Result> execute(std::string_view statements);

  // Appends the bytes as a string literal of the connection's character set, utf8mb4.
  void append_quoted(std::string& statement, std::string_view bytes) const;

 private:
  Result take_result();
  [[noreturn]] void fail() const;

  struct Close {
    void operator()(st_mysql* handle) const;
  };
  std::unique_ptr<st_mysql, Close> handle_;
};

}  // namespace quire
