#include "worker/record_clearing.hpp"

#include <chrono>
#include <filesystem>
#include <mutex>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <utility>

#include <SQLiteCpp/SQLiteCpp.h>

#include "worker/record_maintenance.hpp"
#include "worker/sqlite_connection.hpp"
#include "worker/sqlite_schema.hpp"
#include "worker/write_turn.hpp"

namespace quire {
namespace {

// One statement waits only for so long, so that whoever wants an end to it is heard.
constexpr int busy_timeout = 100;  // milliseconds
constexpr std::chrono::seconds patience{30};

// Nothing when that was not wanted any more.
bool prepare(SQLite::Database& database, const DeletionWatch& watch) {
  for (const auto until = std::chrono::steady_clock::now() + patience;;) {
    try {
      prepare_record(database);
      // As workers write: a commit does not wait for the disk while they wait for the file.
      database.exec("PRAGMA synchronous = NORMAL");
      return true;
    } catch (const SQLite::Exception& error) {
      if (!is_busy(error) || std::chrono::steady_clock::now() >= until) throw;
    }
    if (watch && !watch({})) return false;
  }
}

}  // namespace

std::uint64_t clear_record(const std::string& path, const EndedTasks& which, const DeletionWatch& watch) try {
  if (!std::filesystem::exists(path)) throw std::runtime_error("it is not there");
  SQLite::Database database(path, SQLite::OPEN_READWRITE, busy_timeout);
  if (!prepare(database, watch)) return 0;
  WriteTurn turn(path + "-workers");
  return delete_ended_tasks(database, which, watch, &turn);
} catch (const SQLite::Exception& error) {
  throw std::runtime_error("The record " + path + " cannot be cleared: " +
                           (is_busy(error) ? "others have held it for half a minute; try again later."
                                           : error.what() + std::string(".")));
} catch (const std::exception& error) {
  throw std::runtime_error("The record " + path + " cannot be cleared: " + error.what() + ".");
}

struct ClearingThread::Impl {
  const EndedTasks which;
  mutable std::mutex mutex = {};
  State state = {};
  std::jthread thread = {};  // last: it uses all of the above, and is asked to end and joined first
};

ClearingThread::ClearingThread(std::string path, EndedTasks which, std::function<void(const State&)> ended)
    : impl_(new Impl{.which = std::move(which), .state = {.changed = now()}}) {
  impl_->thread = std::jthread(
      [&my = *impl_, path = std::move(path), ended = std::move(ended)](const std::stop_token& stop) {
        Phase phase = Phase::done;
        std::string problem;
        try {
          clear_record(path, my.which, [&](const DeletionProgress& progress) {
            const std::lock_guard lock(my.mutex);
            my.state.progress = progress;
            if (stop.stop_requested()) phase = Phase::stopped;
            return phase != Phase::stopped;
          });
        } catch (const std::exception& error) {
          phase = Phase::failed;
          problem = error.what();
        }
        {
          const std::lock_guard lock(my.mutex);
          my.state.phase = phase;
          my.state.problem = std::move(problem);
          my.state.changed = now();
        }
        ended(my.state);  // nobody else writes it
      });
}

ClearingThread::~ClearingThread() = default;

void ClearingThread::stop() { impl_->thread.request_stop(); }

ClearingThread::State ClearingThread::state() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->state;
}

const EndedTasks& ClearingThread::which() const { return impl_->which; }

TaskFilter filter_of(const EndedTasks& which) {
  TaskFilter filter{.function = which.function, .until = which.before};
  if (which.done) filter.states.insert(TaskState::done);
  if (which.failed) filter.states.insert(TaskState::failed);
  if (which.cancelled) filter.states.insert(TaskState::cancelled);
  return filter;
}

}  // namespace quire
