#include "worker/sqlite_checkpointer.hpp"

#include <sqlite3.h>

namespace quire {
namespace {

// Of 4 KiB each: a checkpoint for every 16 MiB of log, and no more than 64 MiB of it unless readers hold it
// back.
constexpr int pages_for_a_checkpoint = 4000;
constexpr int pages_for_help = 16000;

// What it cannot do now (somebody reads, or checkpoints) is left for the next time. Trouble with the file
// shows when it is written.
void checkpoint(sqlite3* database) {
  sqlite3_wal_checkpoint_v2(database, "main", SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
}

}  // namespace

Checkpointer::Checkpointer(SQLite::Database& database, const std::string& path)
    : writer_(database),
      own_(path, SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX),
      thread_([this] { run(); }) {
  sqlite3_wal_hook(writer_.getHandle(), on_commit, this);
}

Checkpointer::~Checkpointer() {
  sqlite3_wal_hook(writer_.getHandle(), nullptr, nullptr);
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

// SQLite calls it in the writer's thread after each commit, with the length of the log; the log begins anew
// when all of it has been brought into the file.
int Checkpointer::on_commit(void* self, sqlite3* writer, const char*, int pages) {
  auto& checkpointer = *static_cast<Checkpointer*>(self);
  if (pages < checkpointer.pages_at_last_wish_) checkpointer.pages_at_last_wish_ = 0;
  if (pages - checkpointer.pages_at_last_wish_ < pages_for_a_checkpoint) return SQLITE_OK;
  checkpointer.pages_at_last_wish_ = pages;
  if (pages >= pages_for_help) {
    checkpoint(writer);
    return SQLITE_OK;
  }
  {
    const std::lock_guard lock(checkpointer.mutex_);
    checkpointer.wanted_ = true;
  }
  checkpointer.changed_.notify_one();
  return SQLITE_OK;
}

void Checkpointer::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return wanted_ || stopping_; });
    if (stopping_) return;
    wanted_ = false;
    lock.unlock();
    checkpoint(own_.getHandle());
    lock.lock();
  }
}

}  // namespace quire
