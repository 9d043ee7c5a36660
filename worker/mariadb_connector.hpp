// Keeps a connection to the database, and makes it anew when it is gone. A server that does not answer holds
// nobody up: connecting goes on in the background, and not more often than makes sense.
#pragma once

#include <chrono>
#include <future>
#include <memory>
#include <optional>

#include "worker/back_off.hpp"
#include "worker/mariadb_connection.hpp"

namespace quire {

// One thread at a time.
class MariadbConnector {
 public:
  explicit MariadbConnector(MariadbAddress address) : address_(std::move(address)) {}

  const MariadbAddress& address() const { return address_; }
  bool is_open() const { return open_ != nullptr; }

  // The connection; where there is none yet, waits for at most so long until it is made. Throws MariadbError.
  MariadbConnection& connection(std::chrono::milliseconds wait);

  // Is of no use any more. The next one is made at once.
  void close() { open_.reset(); }

 private:
  const MariadbAddress address_;
  std::unique_ptr<MariadbConnection> open_;
  std::future<std::unique_ptr<MariadbConnection>> coming_;
  BackOff pause_{std::chrono::milliseconds(100), std::chrono::milliseconds(5'000)};
  std::chrono::steady_clock::time_point not_before_{};
  std::optional<MariadbError> last_error_;
};

}  // namespace quire
