#include "worker/sqlite_connection.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <thread>

#include "common/text.hpp"
#include "worker/sqlite_schema.hpp"

namespace quire {
namespace {

constexpr std::chrono::microseconds pause_when_busy{200};

void create_folder_of(const std::filesystem::path& file) {
  const std::filesystem::path folder = file.parent_path();
  if (folder.empty() || std::filesystem::exists(folder)) return;
  create_folder_of(folder);
  if (::mkdir(folder.c_str(), 0750) != 0 && errno != EEXIST) {
    throw std::system_error(errno, std::generic_category(), "cannot create the folder " + folder.string());
  }
}

SQLite::Database open_database(const std::string& path, std::chrono::milliseconds wait) {
  create_record_file(path);
  SQLite::Database database(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX,
                            static_cast<int>(wait.count()));
  prepare_record(database);
  database.exec("PRAGMA synchronous = NORMAL");
  database.exec("PRAGMA cache_size = -8192");
  // Checkpoints wait for the disk. Seldom ones bring a page into the file once that was written many times,
  // as those of the index are; the log then takes 40 MB.
  database.exec("PRAGMA wal_autocheckpoint = 10000");
  database.exec("PRAGMA journal_size_limit = 67108864");
  return database;
}

}  // namespace

RecordConnection::RecordConnection(const std::string& path, std::chrono::milliseconds wait)
    : database(open_database(path, wait)) {}

bool RecordConnection::is_in_place() const {
  int moved = 0;
  const int code = sqlite3_file_control(database.getHandle(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  return code != SQLITE_OK || moved == 0;
}

// SQLite itself asks ever more seldom, and so comes too late most of the time where many write.
void RecordConnection::set_wait(std::chrono::milliseconds longest) {
  longest_wait = longest;
  sqlite3_busy_handler(
      database.getHandle(),
      [](void* self, int times_asked) {
        auto& my = *static_cast<RecordConnection*>(self);
        if (times_asked == 0) my.waiting_since = std::chrono::steady_clock::now();
        if (std::chrono::steady_clock::now() - my.waiting_since >= my.longest_wait) return 0;
        std::this_thread::sleep_for(pause_when_busy);
        return 1;
      },
      this);
}

// SQLite would create the file readable for everybody, and gives its companions the mode of the file.
void create_record_file(const std::string& path) {
  create_folder_of(path);
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
  if (descriptor >= 0) ::close(descriptor);  // what it cannot do, SQLite tells in a moment
}

void bind_bytes(SQLite::Statement& statement, int index, const std::string& bytes) {
  if (bytes.find('\0') == std::string::npos && is_utf8(bytes)) {
    statement.bindNoCopy(index, bytes);
  } else {
    statement.bindNoCopy(index, static_cast<const void*>(bytes.data()), static_cast<int>(bytes.size()));
  }
}

void bind_or_null(SQLite::Statement& statement, int index, const std::string* bytes) {
  bytes == nullptr ? statement.bind(index) : bind_bytes(statement, index, *bytes);
}

std::string bytes_of(const SQLite::Column& column) {
  const void* bytes = column.getBlob();
  return bytes == nullptr ? std::string() : std::string(static_cast<const char*>(bytes), column.getBytes());
}

int execute(SQLite::Statement& statement) {
  const int changes = statement.exec();
  statement.reset();
  return changes;
}

bool is_busy(const SQLite::Exception& error) {
  return error.getErrorCode() == SQLITE_BUSY || error.getErrorCode() == SQLITE_LOCKED;
}

bool may_pass(const SQLite::Exception& error) {
  switch (error.getErrorCode()) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_READONLY:
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FULL:
      return true;
    default:
      return false;
  }
}

}  // namespace quire
