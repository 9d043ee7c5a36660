#include "tests/support/mariadb_server.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "tests/support/temporary_folder.hpp"

extern char** environ;

namespace quire::test {
namespace {

namespace fs = std::filesystem;

// Small files, and nothing that waits for the disk.
const std::vector<std::string> common_options = {"--no-defaults",
                                                 "--innodb-log-file-size=4M",
                                                 "--innodb-buffer-pool-size=16M",
                                                 "--innodb-data-file-path=ibdata1:4M:autoextend",
                                                 "--innodb-temp-data-file-path=ibtmp1:4M:autoextend",
                                                 "--innodb-flush-log-at-trx-commit=2",
                                                 "--innodb-doublewrite=0",
                                                 "--aria-log-file-size=8M",
                                                 "--performance-schema=off"};

// mariadbd as an ordinary user, with our options; it ends with this program, however that ends.
std::vector<std::string> mariadbd(const std::vector<std::string>& options) {
  std::vector<std::string> command = {"/usr/bin/setpriv", "--pdeathsig=KILL"};
  if (::geteuid() == 0) command.insert(command.end(), {"--reuid=mysql", "--regid=mysql", "--clear-groups"});
  command.emplace_back("/usr/sbin/mariadbd");
  command.insert(command.end(), common_options.begin(), common_options.end());
  command.insert(command.end(), options.begin(), options.end());
  return command;
}

pid_t spawn(std::vector<std::string> command, const fs::path& input, const fs::path& output) {
  std::vector<char*> words;
  for (std::string& word : command) words.push_back(word.data());
  words.push_back(nullptr);
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, 0, input.c_str(), O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&files, 1, output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::posix_spawn_file_actions_adddup2(&files, 1, 2);
  pid_t process = -1;
  const int error = ::posix_spawn(&process, words[0], &files, nullptr, words.data(), environ);
  ::posix_spawn_file_actions_destroy(&files);
  if (error != 0) throw std::system_error(error, std::generic_category(), command.front());
  return process;
}

std::string table(const std::string& character_set) {
  const bool binary = character_set == "binary";
  const std::string text = binary ? "longblob" : "longtext";
  return "CREATE TABLE Tasks (taskUUID varchar(36) NOT NULL, createdTime datetime(6) NOT NULL,"
         "fileUUID varchar(36) DEFAULT NULL, fileName " +
         text +
         " NOT NULL, exec varchar(250) NOT NULL, arguments varchar(1000) NOT NULL,"
         "startTime datetime(6) DEFAULT NULL, endTime datetime(6) DEFAULT NULL, client varchar(50) NOT NULL,"
         "stdOut " +
         text + " NOT NULL, stdError " + text +
         " NOT NULL, exitCode bigint(20) DEFAULT NULL, jobuuid varchar(36) NOT NULL,"
         "PRIMARY KEY (taskUUID), KEY Tasks_jobuuid (jobuuid)) ENGINE=InnoDB DEFAULT CHARSET=" +
         (binary ? "utf8mb3" : character_set) +
         (character_set == "utf8mb4" ? " COLLATE utf8mb4_unicode_ci" : "");
}

}  // namespace

MariadbServer& MariadbServer::fresh(const std::string& character_set) {
  static MariadbServer server;
  if (server.process_ <= 0 || server.has_options_) {
    server.stop();
    server.start();
  }
  server.run(
      "SET GLOBAL read_only = 0; SET GLOBAL wait_timeout = 28800; SET GLOBAL max_allowed_packet = 16777216;"
      "DROP DATABASE IF EXISTS MCP; CREATE DATABASE MCP; USE MCP;" +
      table(character_set));
  return server;
}

MariadbServer::MariadbServer() {
  std::string name = (fs::temp_directory_path() / "quire-mariadb-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), name);
  folder_ = name;
  fs::create_directory(folder_ / "data");
  if (::geteuid() == 0) {
    const passwd* const user = ::getpwnam("mysql");
    if (user == nullptr)
      throw std::runtime_error("there is no user mysql, whom the package mariadb-server makes");
    for (const fs::path& path : {folder_, folder_ / "data"}) {
      if (::chown(path.c_str(), user->pw_uid, user->pw_gid) != 0) {
        throw std::system_error(errno, std::generic_category(), path.string());
      }
    }
  }
  // What mariadb-install-db does, without its texts and its help.
  std::ofstream script(folder_ / "script.sql");
  script << "CREATE DATABASE mysql;\nUSE mysql;\n"
         << read_file("/usr/share/mysql/mysql_system_tables.sql")
         << read_file("/usr/share/mysql/mysql_system_tables_data.sql");
  script.close();
  const pid_t bootstrap = spawn(mariadbd({"--bootstrap", "--datadir=" + (folder_ / "data").string(),
                                          "--tmpdir=" + (folder_ / "data").string()}),
                                folder_ / "script.sql", folder_ / "bootstrap.log");
  int status = 0;
  ::waitpid(bootstrap, &status, 0);
  if (status != 0)
    throw std::runtime_error("mariadbd --bootstrap failed:\n" + read_file(folder_ / "bootstrap.log"));
  start();
  run("CREATE USER archivematica@localhost IDENTIFIED BY 'correct horse';"
      "GRANT SELECT, INSERT, UPDATE, DELETE ON MCP.* TO archivematica@localhost");
}

MariadbServer::~MariadbServer() {
  kill();
  fs::remove_all(folder_);
}

void MariadbServer::start(const std::vector<std::string>& options) {
  // A server that starts clears the folder for temporary tables, so it has one of its own.
  std::vector<std::string> all = {"--datadir=" + (folder_ / "data").string(),
                                  "--tmpdir=" + (folder_ / "data").string(),
                                  "--skip-networking",
                                  "--skip-name-resolve",
                                  "--socket=" + (folder_ / "socket").string(),
                                  "--pid-file=" + (folder_ / "pid").string(),
                                  "--character-set-server=utf8mb4"};
  all.insert(all.end(), options.begin(), options.end());
  has_options_ = !options.empty();
  process_ = spawn(mariadbd(all), "/dev/null", folder_ / "server.log");
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  for (;;) {
    try {
      connect();
      return;
    } catch (const MariadbError&) {
      if (std::chrono::steady_clock::now() > give_up || ::waitpid(process_, nullptr, WNOHANG) != 0) {
        throw std::runtime_error("mariadbd does not start:\n" + read_file(folder_ / "server.log"));
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

void MariadbServer::stop() {
  if (process_ <= 0) return;
  ::kill(process_, SIGTERM);
  ::waitpid(process_, nullptr, 0);
  process_ = -1;
}

void MariadbServer::kill() {
  if (process_ <= 0) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  process_ = -1;
}

void MariadbServer::freeze() const { ::kill(process_, SIGSTOP); }
void MariadbServer::thaw() const { ::kill(process_, SIGCONT); }

MariadbAddress MariadbServer::address() const {
  return {.host = "localhost",
          .socket = (folder_ / "socket").string(),
          .user = "archivematica",
          .password = "correct horse",
          .database = "MCP"};
}

std::unique_ptr<MariadbConnection> MariadbServer::connect() const {
  MariadbAddress administrator = address();
  administrator.user = "root";
  administrator.password.clear();
  administrator.database.clear();
  return std::make_unique<MariadbConnection>(administrator, std::chrono::seconds(60));
}

std::vector<MariadbConnection::Result> MariadbServer::run(const std::string& statements) const {
  return connect()->execute(statements);
}

std::string MariadbServer::value(const std::string& query) const {
  return run(query).front().rows.at(0).at(0).value_or("NULL");
}

std::string MariadbServer::column(const std::string& name, const std::string& task) const {
  return value("SELECT " + name + " FROM MCP.Tasks WHERE taskUUID = '" + task + "'");
}

void MariadbServer::insert_tasks(const std::string& name, std::size_t tasks) const {
  std::string statement = "INSERT INTO MCP.Tasks VALUES ";
  for (std::size_t i = 0; i < tasks; ++i) {
    statement +=
        (i == 0 ? "('" : ",('") + name + "-" + std::to_string(i) +
        "', '2024-08-04 21:34:35.241750', NULL, 'a file', 'checksum_v0.0', '', NULL, NULL, '', '', '', "
        "NULL, 'job')";
  }
  run(statement);
}

}  // namespace quire::test
