// A lock with a name in the database, held by a connection of its own: the server lets go of it when that
// ends, however that comes.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "worker/mariadb_connection.hpp"

namespace quire {

// One thread at a time.
class MariadbLock {
 public:
  // Connects to nothing yet. name: 64 characters count.
  MariadbLock(MariadbAddress address, const std::string& name);

  // Lets go of it.
  ~MariadbLock();
  MariadbLock(const MariadbLock&) = delete;
  MariadbLock& operator=(const MariadbLock&) = delete;

  // Waits for at most so long; those who wait get it in their order. False when somebody else has it. Throws
  // MariadbError, after which the next call connects anew.
  bool acquire(std::chrono::seconds wait);

  // Asks the server whether we still have it. Throws MariadbError when the connection is lost, and the lock
  // with it.
  bool is_held();

 private:
  std::string ask(const std::string& query);

  const MariadbAddress address_;
  const std::string name_;
  std::unique_ptr<MariadbConnection> connection_;
};

}  // namespace quire
