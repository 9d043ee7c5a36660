// Brings the write-ahead log of a SQLite file into the file, beside the thread that writes.
//
// A checkpoint waits for the disk. Done by the writer, as SQLite does by itself, it costs two fifths of the
// rate at which tasks can be recorded. Here a thread with a connection of its own does it; the writer helps
// only when the log grows faster than that.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include <SQLiteCpp/SQLiteCpp.h>

namespace quire {

class Checkpointer {
 public:
  // database: the writer's, open on this path; from now on its commits are watched and SQLite's own
  // checkpoints are off. It must outlive this object. Throws SQLite::Exception.
  Checkpointer(SQLite::Database& database, const std::string& path);
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

 private:
  static int on_commit(void* self, sqlite3* writer, const char* name, int pages);
  void run();

  SQLite::Database& writer_;
  SQLite::Database own_;
  int pages_at_last_wish_ = 0;  // in the log; the writer's thread

  std::mutex mutex_;
  std::condition_variable changed_;
  bool wanted_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace quire
