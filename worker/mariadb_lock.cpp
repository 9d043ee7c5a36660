#include "worker/mariadb_lock.hpp"

#include <utility>

namespace quire {
namespace {

// A server that is silent for so long has been cut off, and whoever it still reaches may get the lock.
constexpr std::chrono::seconds patience{5};

constexpr std::size_t longest_name = 64;

}  // namespace

MariadbLock::MariadbLock(MariadbAddress address, const std::string& name)
    : address_(std::move(address)), name_(name.substr(0, longest_name)) {}

MariadbLock::~MariadbLock() {
  if (!connection_) return;
  try {
    std::string statement = "SELECT RELEASE_LOCK(";
    connection_->append_quoted(statement, name_);
    ask(statement + ")");
  } catch (const MariadbError&) {
    // The connection ends in any case.
  }
}

bool MariadbLock::acquire(std::chrono::seconds wait) {
  if (!connection_) connection_ = std::make_unique<MariadbConnection>(address_, patience);
  std::string statement = "SELECT GET_LOCK(";
  connection_->append_quoted(statement, name_);
  return ask(statement + ", " + std::to_string(wait.count()) + ")") == "1";
}

bool MariadbLock::is_held() {
  if (!connection_) return false;
  std::string statement = "SELECT IS_USED_LOCK(";
  connection_->append_quoted(statement, name_);
  return ask(statement + ") = CONNECTION_ID()") == "1";
}

std::string MariadbLock::ask(const std::string& query) {
  try {
    return connection_->execute(query).front().rows.at(0).at(0).value_or("");
  } catch (const MariadbError&) {
    connection_.reset();
    throw;
  }
}

}  // namespace quire
