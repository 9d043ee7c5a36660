#include "worker/sqlite_record.hpp"

#include <spdlog/spdlog.h>

#include "worker/record_writer.hpp"
#include "worker/sqlite_store.hpp"

namespace quire {
namespace {

// How long a start may take when somebody else holds the file.
constexpr std::chrono::milliseconds wait_at_start{2'000};

// Opens the store. Gives what keeps it from being written, where that may pass; throws where it may not.
std::string open(SqliteStore& store, const SqliteRecord::Options& options) {
  try {
    store.open(wait_at_start);
    return {};
  } catch (const SQLite::Exception& error) {
    store.make_presence();
    if (may_pass(error)) return error.what();
    throw std::runtime_error("The record " + options.path + " cannot be opened: " + error.what() + ".");
  } catch (const std::exception& error) {
    throw std::runtime_error("The record " + options.path + " cannot be opened: " + error.what() + ".");
  }
}

}  // namespace

struct SqliteRecord::Impl {
  Impl(const Options& options, const std::shared_ptr<spdlog::logger>& log)
      : store(options, log), writer(store, log, options.patience, open(store, options)) {}

  // Closing the last connection to a file brings its write-ahead log into it.
  SqliteStore store;
  RecordWriter writer;
};

SqliteRecord::SqliteRecord(Options options, std::shared_ptr<spdlog::logger> log)
    : impl_(std::make_unique<Impl>(options, log)) {}

SqliteRecord::~SqliteRecord() = default;

TaskRecord::Begun SqliteRecord::begin(const Batch& batch, const std::vector<Task*>& tasks) {
  Begun begun;
  impl_->writer.record(
      {.kind = RecordEntry::Kind::begun, .batch = &batch, .tasks = &tasks, .begun = &begun, .time = now()});
  return begun;
}

void SqliteRecord::interrupted(const Batch& batch, const std::vector<Task*>& tasks) {
  impl_->writer.record(
      {.kind = RecordEntry::Kind::interrupted, .batch = &batch, .tasks = &tasks, .time = now()});
}

void SqliteRecord::finished(const Batch& batch) {
  impl_->writer.record({.kind = RecordEntry::Kind::finished, .batch = &batch, .time = now()});
}

void SqliteRecord::delivered(const std::string& handle, const std::string& unique, bool has_arrived) {
  impl_->writer.post({.kind = RecordEntry::Kind::delivered,
                      .time = now(),
                      .handle = handle,
                      .unique = unique,
                      .has_arrived = has_arrived});
}

void SqliteRecord::finished_and_owed(const Batch& batch) {
  impl_->writer.record(
      {.kind = RecordEntry::Kind::finished, .batch = &batch, .time = now(), .is_owed = true});
}

void SqliteRecord::owed(const Batch& batch) {
  impl_->writer.record({.kind = RecordEntry::Kind::owed, .batch = &batch, .time = now()});
}

void SqliteRecord::paid(const std::vector<std::int64_t>& results) {
  impl_->writer.record({.kind = RecordEntry::Kind::paid, .time = now(), .rows = results});
}

const std::string& SqliteRecord::path() const { return impl_->store.path(); }

RecordState SqliteRecord::state() const { return impl_->writer.state(); }

std::chrono::seconds SqliteRecord::busy_for() const { return impl_->writer.busy_for(); }

std::string SqliteRecord::describe() const {
  const RecordState now = state();
  return impl_->store.name() + ": " + (now.healthy ? "written" : now.problem) + "; " +
         std::to_string(impl_->writer.waiting()) + " entries on their way, " +
         std::to_string(now.entries_waiting) + " kept until it can be written";
}

int SqliteRecord::presence_descriptor() const { return impl_->store.presence_descriptor(); }

}  // namespace quire
