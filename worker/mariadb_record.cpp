#include "worker/mariadb_record.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <spdlog/spdlog.h>

#include "common/plural.hpp"
#include "worker/mariadb_store.hpp"

namespace quire {
namespace {

// How long a start may take when the server does not answer.
constexpr std::chrono::milliseconds wait_at_start{2'000};

// Opens the store. Gives what keeps it from being written, where that may pass; throws where it may not.
std::string open(MariadbStore& store) {
  try {
    store.open(wait_at_start);
    return {};
  } catch (const MariadbError& error) {
    if (!error.about_the_address()) return error.what();
    throw std::runtime_error("The " + store.name() + " cannot be used: " + error.what() +
                             "; correct the settings mariadb_…, or give this user its rights.");
  } catch (const std::runtime_error& error) {
    throw std::runtime_error("The " + store.name() + " cannot be used: " + error.what() + ".");
  }
}

bool has_news(const Batch& batch) {
  return std::ranges::any_of(batch.tasks,
                             [](const Task& task) { return task.result && !task.result->in_database; });
}

}  // namespace

struct MariadbRecord::Impl {
  Impl(const Options& options, const std::shared_ptr<spdlog::logger>& to)
      : store({options.address, options.client, options.capture_output, options.has_refuge}),
        log(to),
        writer(std::in_place, store, to, options.patience, open(store)) {}

  // The writer writes what is left when it ends, where it can.
  ~Impl() {
    const std::uint64_t waiting = writer->state().results_waiting;
    writer.reset();
    if (waiting == 0 || store.has_written()) return;
    log->error("{} never written to the {}, which cannot be written{}.",
               counted(waiting, "result is", "results are"), store.name(),
               store.has_refuge()
                   ? ""
                   : " while this worker ends: no record is kept (record = none) from which it "
                     "could be done later");
  }

  MariadbStore store;
  const std::shared_ptr<spdlog::logger> log;
  std::optional<RecordWriter> writer;
};

MariadbRecord::MariadbRecord(const Options& options, std::shared_ptr<spdlog::logger> log)
    : impl_(std::make_unique<Impl>(options, log)) {}

MariadbRecord::~MariadbRecord() = default;

TaskRecord::Begun MariadbRecord::begin(const Batch& batch, const std::vector<Task*>& tasks) {
  Begun begun;
  if (tasks.empty()) return begun;
  impl_->writer->record(
      {.kind = RecordEntry::Kind::begun, .batch = &batch, .tasks = &tasks, .begun = &begun, .time = now()});
  return begun;
}

// An entry that changes nothing would tell the writer that the database can be written.
void MariadbRecord::interrupted(const Batch& batch, const std::vector<Task*>& tasks) {
  if (tasks.empty()) return;
  impl_->writer->record(
      {.kind = RecordEntry::Kind::interrupted, .batch = &batch, .tasks = &tasks, .time = now()});
}

void MariadbRecord::finished(const Batch& batch) {
  if (has_news(batch))
    impl_->writer->record({.kind = RecordEntry::Kind::finished, .batch = &batch, .time = now()});
}

bool MariadbRecord::finish(const Batch& batch) {
  bool unwritten = false;
  if (has_news(batch)) {
    impl_->writer->record(
        {.kind = RecordEntry::Kind::finished, .batch = &batch, .time = now(), .unwritten = &unwritten});
  }
  return !unwritten;
}

bool MariadbRecord::pay(const OwedBatch& owed) {
  bool unwritten = false;
  impl_->writer->record({.kind = RecordEntry::Kind::owed,
                         .batch = &owed.batch,
                         .time = owed.began,
                         .client = owed.client,
                         .unwritten = &unwritten});
  return !unwritten;
}

std::string MariadbRecord::name() const { return impl_->store.name(); }

RecordState MariadbRecord::state() const { return impl_->writer->state(); }

std::chrono::seconds MariadbRecord::busy_for() const { return impl_->writer->busy_for(); }

std::string MariadbRecord::describe() const {
  const RecordState now = state();
  return impl_->store.name() + ": " + (now.healthy ? "written" : now.problem) + "; " +
         std::to_string(impl_->writer->waiting()) + " entries on their way, " +
         std::to_string(now.entries_waiting) + " kept until it can be written";
}

}  // namespace quire
