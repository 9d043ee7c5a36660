// A private MariaDB server for one test program, with the controller's table in it.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "worker/mariadb_connection.hpp"

namespace quire::test {

// mariadbd without a network, in a folder of its own; as the user mysql where the test runs as root. It
// accepts connections when this has been constructed, and is gone with its folder when it has been destroyed.
class MariadbServer {
 public:
  // The one of this program. All that tests have changed about it is as it was: it runs, without the options
  // of a test, and has an empty table Tasks in a database MCP, in which every text is of this character set;
  // "binary" makes BLOBs of them.
  static MariadbServer& fresh(const std::string& character_set = "utf8mb4");

  ~MariadbServer();
  MariadbServer(const MariadbServer&) = delete;
  MariadbServer& operator=(const MariadbServer&) = delete;

  // For a worker; its password is "correct horse".
  MariadbAddress address() const;

  // As an administrator.
  std::vector<MariadbConnection::Result> run(const std::string& statements) const;
  // The only value of a query; "NULL" where it is that.
  std::string value(const std::string& query) const;
  std::string column(const std::string& name, const std::string& task) const;

  // Rows as a controller makes them: NAME-0, NAME-1, …
  void insert_tasks(const std::string& name, std::size_t tasks) const;

  void start(const std::vector<std::string>& options = {});
  void stop();  // in good order
  void kill();  // as a crash would
  void freeze() const;
  void thaw() const;

  // A connection of a second writer.
  std::unique_ptr<MariadbConnection> connect() const;

 private:
  MariadbServer();

  std::filesystem::path folder_;
  pid_t process_ = -1;
  bool has_options_ = false;
};

}  // namespace quire::test
