#include "worker/mariadb_connector.hpp"

namespace quire {
namespace {

using std::chrono::steady_clock;

// Longer than a server waits for locks, shorter than anybody wants to wait for one that has been cut off.
constexpr std::chrono::seconds patience{10};

}  // namespace

MariadbConnection& MariadbConnector::connection(std::chrono::milliseconds wait) {
  if (open_) return *open_;
  if (!coming_.valid()) {
    if (last_error_ && steady_clock::now() < not_before_) throw MariadbError(*last_error_);
    coming_ = std::async(std::launch::async, [address = address_] {
      return std::make_unique<MariadbConnection>(address, patience);
    });
  }
  if (coming_.wait_for(wait) != std::future_status::ready) {
    throw MariadbError("the server has not answered yet", 2003);
  }
  try {
    open_ = coming_.get();
    pause_.reset();
    last_error_.reset();
    return *open_;
  } catch (const MariadbError& error) {
    last_error_ = error;
    not_before_ = steady_clock::now() + pause_.next();
    throw;
  }
}

}  // namespace quire
