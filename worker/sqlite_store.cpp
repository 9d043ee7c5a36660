// One room although it is long: what is written when tasks begin and what is read when they come again are
// the same few columns, and a rule of the one is a rule of the other.
//
// A task that is begun has no row: the workload of its batch is in the batch's row until its end. A task that
// comes again is found by the batches that it came with (task_index.hpp): among the rows of those that have
// ended, or in the workload of one that has not.
#include "worker/sqlite_store.hpp"

#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include <spdlog/spdlog.h>

#include "common/exit_status.hpp"
#include "common/plural.hpp"
#include "worker/batch_reader.hpp"

namespace quire {
namespace {

// Replies of which nobody has told whether they arrived: more than this many are none that anybody waits for.
constexpr std::size_t most_awaiting = 100'000;

std::string key(const std::string& handle, const std::string& unique) { return handle + '\n' + unique; }
std::string key(const Batch& batch) { return key(batch.handle, batch.unique); }

std::vector<TaskHash> hashes_of(const Batch& batch) {
  std::vector<TaskHash> hashes;
  hashes.reserve(batch.tasks.size());
  for (const Task& task : batch.tasks) hashes.push_back(task_hash(task.id));
  return hashes;
}

void bind_workload(SQLite::Statement& statement, int index, std::string_view workload) {
  if (workload.empty()) return statement.bind(index);
  statement.bindNoCopy(index, static_cast<const void*>(workload.data()), static_cast<int>(workload.size()));
}

// Nothing for no tasks.
std::string workload_of(const std::vector<const Task*>& tasks) {
  return tasks.empty() ? std::string() : encode_workload(tasks);
}

std::string workload_of(const std::map<std::string, Task>& tasks) {
  std::vector<const Task*> pointers;
  for (const auto& [id, task] : tasks) pointers.push_back(&task);
  return workload_of(pointers);
}

std::map<std::string, Task> tasks_in(const SQLite::Column& workload) {
  std::map<std::string, Task> tasks;
  if (workload.isNull()) return tasks;
  for (Task& task : read_workload(bytes_of(workload)).tasks) tasks.insert_or_assign(task.id, std::move(task));
  return tasks;
}

bool is_new(const Task& task) { return task.result && !task.result->on_record; }

}  // namespace

SqliteStore::SqliteStore(const SqliteRecord::Options& options, std::shared_ptr<spdlog::logger> log)
    : options_(options), log_(std::move(log)), start_time_(record_time(now())) {}

void SqliteStore::open(std::chrono::milliseconds wait) {
  if (connection_ && !connection_->is_in_place()) {
    log_->error(
        "The record {} was deleted or replaced while it was open; what it held is gone, and recording "
        "goes on in the file that is there now.",
        options_.path);
    connection_.reset();
  }
  if (!connection_) {
    connect(wait);
    register_worker(wait);
  }
  connection_->set_wait(wait);
}

// One worker makes a new file while the others stand by: SQLite lets nobody wait who changes a file's
// journal mode, and whoever came at the same moment would be told that it is locked.
void SqliteStore::connect(std::chrono::milliseconds wait) {
  WriteTurn::Held turn;
  std::error_code ignored;
  if (const auto size = std::filesystem::file_size(options_.path, ignored); ignored || size == 0) {
    create_record_file(options_.path);
    make_presence();
    turn = turn_->take(wait);
  }
  connection_.emplace(options_.path, wait);
}

// Who waits for the file waits for its turn first.
SQLite::Transaction SqliteStore::begin_in_turn(std::chrono::milliseconds wait) {
  const WriteTurn::Held turn = turn_->take(wait / 2);
  return SQLite::Transaction(connection_->database, SQLite::TransactionBehavior::IMMEDIATE);
}

void SqliteStore::write(std::span<const RecordEntry> entries, std::chrono::milliseconds wait) {
  bool waiting = false;  // all is well but that somebody else has the file
  try {
    open(wait);
    waiting = true;
    SQLite::Transaction transaction = begin_in_turn(wait);
    waiting = false;
    connection_->index.refresh();
    connection_->read_last_sequence.executeStep();
    last_sequence_ = connection_->read_last_sequence.getColumn(0).getInt64();
    connection_->read_last_sequence.reset();
    for (const RecordEntry& entry : entries) {
      switch (entry.kind) {
        case RecordEntry::Kind::begun:
          write_begin(entry);
          break;
        case RecordEntry::Kind::interrupted:
          write_interruption(entry);
          break;
        case RecordEntry::Kind::finished:
          write_end(entry);
          break;
        case RecordEntry::Kind::delivered:
          write_delivery(entry);
          break;
        case RecordEntry::Kind::owed:
          write_debt(entry);
          break;
        case RecordEntry::Kind::paid:
          write_payment(entry);
          break;
      }
    }
    connection_->index.settle();
    transaction.commit();
  } catch (const SQLite::Exception& error) {
    const std::string reason = error.what();
    const bool busy = is_busy(error);
    if (!busy || !waiting) undo(entries);
    if (busy) throw RecordBusy(reason);
    throw std::runtime_error(reason);
  } catch (...) {
    undo(entries);
    throw;
  }
  for (const RecordEntry& entry : entries) forget(entry);
}

// What memory knows of a transaction that has not come about.
void SqliteStore::undo(std::span<const RecordEntry> entries) {
  connection_.reset();
  for (const RecordEntry& entry : entries) {
    if (entry.kind == RecordEntry::Kind::begun) in_hand_.erase(key(*entry.batch));
  }
}

void SqliteStore::make_presence() {
  if (presence_) return;
  presence_.emplace(options_.path + "-workers");
  turn_.emplace(options_.path + "-workers");
}

// A number of our own in this file, and the lock that tells others that it is in use. A number whose lock
// somebody holds belongs to a worker that has not noticed yet that the file was replaced.
void SqliteStore::register_worker(std::chrono::milliseconds wait) {
  make_presence();
  SQLite::Statement& find = connection_->find_worker;
  find.bind(1, worker_);
  bind_bytes(find, 2, options_.client);
  find.bindNoCopy(3, start_time_);
  const bool known = worker_ != 0 && find.executeStep();
  find.reset();
  if (known) return;

  in_hand_.clear();
  awaiting_delivery_.clear();
  SQLite::Transaction transaction = begin_in_turn(wait);
  do {
    bind_bytes(connection_->insert_worker, 1, options_.client);
    connection_->insert_worker.bindNoCopy(2, start_time_);
    execute(connection_->insert_worker);
    worker_ = connection_->database.getLastInsertRowid();
  } while (!presence_->hold(worker_));
  transaction.commit();
}

void SqliteStore::write_begin(const RecordEntry& entry) {
  const Batch& batch = *entry.batch;
  std::vector<TaskHash> hashes = hashes_of(batch);
  std::vector<std::uint32_t> attempts(batch.tasks.size());
  std::vector<std::pair<Task*, std::uint32_t>> given_up;
  EarlierBatches earlier;
  *entry.begun = {};
  entry.begun->to_run.reserve(entry.tasks->size());
  for (Task* task : *entry.tasks) {
    if (task->result) continue;
    const auto place = static_cast<std::size_t>(task - batch.tasks.data());
    const Fate fate = look_up(*task, hashes[place], earlier);
    if (fate.ended != 0) {
      answer(*task, fate.ended);
      continue;
    }
    if (fate.elsewhere) {
      entry.begun->elsewhere.push_back(task);
      continue;
    }
    if (fate.begun != 0) keep_attempt(*task, fate.begun);
    if (fate.attempts > 0 && fate.attempts >= options_.max_attempts) {
      given_up.emplace_back(task, fate.attempts);
    } else {
      attempts[place] = fate.attempts + 1;
      entry.begun->to_run.push_back(task);
    }
  }
  write_changes(earlier);

  const std::string time = record_time(entry.time);
  InHand* in_hand = find_in_hand(batch, hashes);
  if (in_hand == nullptr) {
    // Nearly always all that has come is to be run.
    std::string workload;
    const bool all = !batch.workload.empty() && entry.begun->to_run.size() == batch.tasks.size();
    if (!all)
      workload =
          workload_of(std::vector<const Task*>(entry.begun->to_run.begin(), entry.begun->to_run.end()));
    const std::int64_t number = insert_batch(batch, &time, hashes, all ? batch.workload : workload);
    in_hand = &in_hand_[key(batch)];
    *in_hand = {number, std::move(hashes), std::move(attempts)};
  } else if (!entry.begun->to_run.empty()) {
    std::vector<const Task*> running;
    for (std::size_t i = 0; i < attempts.size(); ++i) {
      if (attempts[i] != 0) in_hand->attempts[i] = attempts[i];
      const Task& task = batch.tasks[i];
      if (in_hand->attempts[i] != 0 && !(task.result && task.result->on_record)) running.push_back(&task);
    }
    const std::string workload = workload_of(running);
    SQLite::Statement& statement = connection_->begin_more;
    statement.bindNoCopy(1, time);
    bind_workload(statement, 2, workload);
    statement.bind(3, in_hand->batch);
    execute(statement);
  }
  for (const auto& [task, count] : given_up) {
    give_up(batch, *task, count);
    const std::int64_t row = insert_task(*task, in_hand->batch, count, entry.time);
    extend_batch(in_hand->batch, {row, row});
    task->result->on_record = true;
  }
}

SqliteStore::InHand* SqliteStore::find_in_hand(const Batch& batch, const std::vector<TaskHash>& hashes) {
  const auto found = in_hand_.find(key(batch));
  return found == in_hand_.end() || found->second.hashes != hashes ? nullptr : &found->second;
}

// The last delivery that knows the task decides. Most tasks are new, and none does.
SqliteStore::Fate SqliteStore::look_up(const Task& task, TaskHash hash, EarlierBatches& earlier) {
  Fate fate;
  const std::vector<std::int64_t> batches = connection_->index.batches_of(hash);
  if (batches.empty()) return fate;
  for (const std::int64_t number : batches) {
    Earlier& delivery = read_earlier(number, earlier);
    if (const auto row = delivery.ended.find(task.id); row != delivery.ended.end()) {
      fate.ended = row->second;
      return fate;
    }
    if (delivery.interrupted.erase(task.id) > 0) {
      delivery.changed = true;
      break;
    }
    const auto begun = delivery.begun.find(task.id);
    if (begun == delivery.begun.end()) continue;
    fate.elsewhere = delivery.worker != worker_ && presence_->is_alive(delivery.worker);
    if (fate.elsewhere) return fate;
    // Whoever began it did not come to its end with it.
    delivery.begun.erase(begun);
    delivery.changed = true;
    fate.begun = number;
    break;
  }
  fate.attempts = count_attempts(task) + (fate.begun == 0 ? 0 : 1);
  return fate;
}

SqliteStore::Earlier& SqliteStore::read_earlier(std::int64_t batch, EarlierBatches& earlier) {
  const auto [found, is_first] = earlier.try_emplace(batch);
  Earlier& delivery = found->second;
  if (!is_first) return delivery;
  SQLite::Statement& row = connection_->read_batch;
  row.bind(1, batch);
  std::int64_t first = 0;
  std::int64_t last = -1;
  if (row.executeStep()) {
    delivery.worker = row.getColumn(0).getInt64();
    first = row.getColumn(1).getInt64();
    last = row.getColumn(2).getInt64();
    delivery.begun = tasks_in(row.getColumn(3));
    delivery.interrupted = tasks_in(row.getColumn(4));
  }
  row.reset();
  SQLite::Statement& ended = connection_->list_ended;
  ended.bind(1, first);
  ended.bind(2, last);
  while (ended.executeStep()) {
    delivery.ended.emplace(bytes_of(ended.getColumn(1)), ended.getColumn(0).getInt64());
  }
  ended.reset();
  return delivery;
}

// What is begun with another delivery now, or has ended, is not with the earlier ones any more.
void SqliteStore::write_changes(const EarlierBatches& earlier) {
  for (const auto& [number, delivery] : earlier) {
    if (!delivery.changed) continue;
    const std::string begun = workload_of(delivery.begun);
    const std::string interrupted = workload_of(delivery.interrupted);
    SQLite::Statement& statement = connection_->change_batch;
    bind_workload(statement, 1, begun);
    bind_workload(statement, 2, interrupted);
    statement.bind(3, number);
    execute(statement);
  }
}

std::uint32_t SqliteStore::count_attempts(const Task& task) {
  SQLite::Statement& statement = connection_->count_attempts;
  bind_bytes(statement, 1, task.id);
  statement.executeStep();
  const auto count = statement.getColumn(0).getUInt();
  statement.reset();
  return count;
}

void SqliteStore::keep_attempt(const Task& task, std::int64_t batch) {
  SQLite::Statement& statement = connection_->keep_attempt;
  bind_bytes(statement, 1, task.id);
  statement.bind(2, batch);
  execute(statement);
}

void SqliteStore::answer(Task& task, std::int64_t row) {
  SQLite::Statement& statement = connection_->read_task;
  statement.bind(1, row);
  statement.executeStep();
  TaskResult& result = task.result.emplace();
  result.on_record = true;
  result.finished = Timestamp(std::chrono::microseconds(statement.getColumn(0).getInt64()));
  result.exit_code = statement.getColumn(1).getInt64();
  result.output = bytes_of(statement.getColumn(2));
  result.error = bytes_of(statement.getColumn(3));
  result.ended_by = bytes_of(statement.getColumn(4));
  if (task.wants_output && statement.getColumn(2).isNull()) {
    result.error +=
        "The task was run before; its output was not recorded (capture_client_script_output = no).\n";
  }
  statement.reset();
}

void SqliteStore::give_up(const Batch& batch, Task& task, std::uint32_t attempts) {
  std::string history;
  SQLite::Statement& attempt = connection_->list_attempts;
  bind_bytes(attempt, 1, task.id);
  while (attempt.executeStep()) {
    if (!history.empty()) history += ", ";
    history += attempt.getColumn(0).getString();
    history += " at ";
    history += attempt.getColumn(1).getString();
  }
  attempt.reset();
  task.fail("The task is not run again: it was begun " + counted(attempts, "time") +
            " (max_attempts) and its worker died each time: " + history + ".");
  log_->error("{} {}: task {}: {}", batch.handle, batch.function, task.id, task.result->error);
}

void SqliteStore::write_interruption(const RecordEntry& entry) {
  const Batch& batch = *entry.batch;
  const std::vector<TaskHash> hashes = hashes_of(batch);
  EarlierBatches earlier;
  InHand from_file;
  InHand* in_hand = find_in_hand(batch, hashes);
  if (in_hand == nullptr) {
    from_file = find_in_file(batch, hashes, earlier);
    if (from_file.batch == 0) return;
    in_hand = &from_file;
  }
  std::vector<const Task*> cut_short;
  for (Task* task : *entry.tasks) {
    // Not begun by us: it runs elsewhere, or was never begun.
    std::uint32_t& attempts = in_hand->attempts[static_cast<std::size_t>(task - batch.tasks.data())];
    if (std::exchange(attempts, 0) != 0) cut_short.push_back(task);
  }
  std::vector<const Task*> running;
  for (std::size_t i = 0; i < batch.tasks.size(); ++i) {
    const Task& task = batch.tasks[i];
    if (in_hand->attempts[i] != 0 && !(task.result && task.result->on_record)) running.push_back(&task);
  }
  const std::string begun = workload_of(running);
  const std::string interrupted = workload_of(cut_short);
  SQLite::Statement& statement = connection_->change_batch;
  bind_workload(statement, 1, begun);
  bind_workload(statement, 2, interrupted);
  statement.bind(3, in_hand->batch);
  execute(statement);
}

void SqliteStore::write_end(const RecordEntry& entry) {
  const Batch& batch = *entry.batch;
  const std::string time = record_time(entry.time);
  const std::vector<TaskHash> hashes = hashes_of(batch);
  EarlierBatches earlier;
  InHand from_file;
  InHand* in_hand = find_in_hand(batch, hashes);
  if (in_hand == nullptr || !finish_batch(batch, in_hand->batch, time)) {
    from_file = find_in_file(batch, hashes, earlier);
    in_hand = &from_file;
    if (from_file.batch == 0) from_file.batch = insert_batch(batch, nullptr, hashes, {});
    finish_batch(batch, from_file.batch, time);
  }
  if (awaiting_delivery_.size() >= most_awaiting) awaiting_delivery_.clear();
  awaiting_delivery_.insert_or_assign(key(batch), in_hand->batch);

  Extent rows;
  for (std::size_t i = 0; i < batch.tasks.size(); ++i) {
    const Task& task = batch.tasks[i];
    if (!is_new(task)) {
      if (entry.is_owed && task.result) owe(task, look_up(task, hashes[i], earlier).ended);
      continue;
    }
    std::uint32_t attempts = in_hand->attempts[i];
    if (attempts == 0) {
      // It was answered without being run, or its start is not known to be ours.
      const Fate fate = look_up(task, hashes[i], earlier);
      if (fate.ended != 0) {
        change_task(task, fate.ended, entry.time);
        if (entry.is_owed) owe(task, fate.ended);
        continue;
      }
      attempts = fate.attempts;
    }
    const std::int64_t row = insert_task(task, in_hand->batch, attempts, entry.time);
    if (entry.is_owed) owe(task, row);
    if (rows.first == 0) rows.first = row;
    rows.last = row;
  }
  if (rows.first != 0) extend_batch(in_hand->batch, rows);
  write_changes(earlier);
}

// The row of a batch that was begun with an earlier connection: by us before an error, or by another worker.
SqliteStore::InHand SqliteStore::find_in_file(const Batch& batch, const std::vector<TaskHash>& hashes,
                                              EarlierBatches& earlier) {
  InHand in_hand{.batch = 0, .hashes = hashes, .attempts = std::vector<std::uint32_t>(hashes.size())};
  if (hashes.empty()) return in_hand;
  for (const std::int64_t number : connection_->index.batches_of(hashes.front())) {
    SQLite::Statement& row = connection_->read_batch;
    row.bind(1, number);
    const bool is_it = row.executeStep() && bytes_of(row.getColumn(5)) == batch.handle &&
                       bytes_of(row.getColumn(6)) == batch.unique && row.getColumn(7).getInt() != 0;
    row.reset();
    if (!is_it) continue;
    in_hand.batch = number;
    Earlier& delivery = read_earlier(number, earlier);
    for (std::size_t i = 0; i < batch.tasks.size(); ++i) {
      const Task& task = batch.tasks[i];
      if (delivery.begun.contains(task.id)) in_hand.attempts[i] = count_attempts(task) + 1;
    }
    return in_hand;
  }
  return in_hand;
}

void SqliteStore::write_delivery(const RecordEntry& entry) {
  const auto found = awaiting_delivery_.find(key(entry.handle, entry.unique));
  if (found == awaiting_delivery_.end()) return;
  const std::string delivery = entry.has_arrived ? "delivered" : "undelivered";
  SQLite::Statement& statement = connection_->deliver_batch;
  statement.bindNoCopy(1, delivery);
  statement.bind(2, found->second);
  bind_bytes(statement, 3, entry.handle);
  bind_bytes(statement, 4, entry.unique);
  execute(statement);
}

// Their ends were written before.
void SqliteStore::write_debt(const RecordEntry& entry) {
  EarlierBatches earlier;
  for (const Task& task : entry.batch->tasks) {
    if (task.result) owe(task, look_up(task, task_hash(task.id), earlier).ended);
  }
}

void SqliteStore::write_payment(const RecordEntry& entry) {
  for (const std::int64_t row : entry.rows) {
    connection_->pay.bind(1, row);
    execute(connection_->pay);
  }
}

void SqliteStore::owe(const Task& task, std::int64_t row) {
  if (task.result->in_database || row == 0) return;
  connection_->owe.bind(1, row);
  execute(connection_->owe);
}

void SqliteStore::forget(const RecordEntry& entry) {
  if (entry.kind == RecordEntry::Kind::finished) in_hand_.erase(key(*entry.batch));
  if (entry.kind == RecordEntry::Kind::delivered) awaiting_delivery_.erase(key(entry.handle, entry.unique));
}

std::int64_t SqliteStore::insert_batch(const Batch& batch, const std::string* start,
                                       const std::vector<TaskHash>& hashes, std::string_view workload) {
  const std::string ids = bytes_of_hashes(hashes);
  SQLite::Statement& statement = connection_->insert_batch;
  bind_bytes(statement, 1, batch.unique);
  bind_bytes(statement, 2, batch.handle);
  bind_bytes(statement, 3, batch.function);
  bind_bytes(statement, 4, options_.client);
  bind_or_null(statement, 5, start);
  statement.bind(6, static_cast<std::int64_t>(batch.tasks.size()));
  statement.bind(7, worker_);
  statement.bindNoCopy(8, static_cast<const void*>(ids.data()), static_cast<int>(ids.size()));
  bind_workload(statement, 9, workload);
  execute(statement);
  const std::int64_t number = connection_->database.getLastInsertRowid();
  connection_->index.add(number, hashes);
  return number;
}

// A batch of which a task has no result was cut short, and has no end.
bool SqliteStore::finish_batch(const Batch& batch, std::int64_t number, const std::string& time) {
  static const std::string interrupted = "interrupted";
  std::int64_t failed = 0;
  std::int64_t cancelled = 0;
  bool cut_short = false;
  for (const Task& task : batch.tasks) {
    cut_short = cut_short || !task.result;
    if (!task.result || task.result->exit_code == 0) continue;
    ++(task.result->was_cancelled() ? cancelled : failed);
  }
  SQLite::Statement& statement = connection_->finish_batch;
  bind_or_null(statement, 1, cut_short ? nullptr : &time);
  statement.bind(2, failed);
  bind_or_null(statement, 3, cut_short ? &interrupted : nullptr);
  statement.bind(4, number);
  bind_bytes(statement, 5, batch.handle);
  bind_bytes(statement, 6, batch.unique);
  statement.bind(7, cancelled);
  return execute(statement) == 1;
}

void SqliteStore::extend_batch(std::int64_t number, Extent extent) {
  connection_->extend_batch.bind(1, extent.first);
  connection_->extend_batch.bind(2, extent.last);
  connection_->extend_batch.bind(3, number);
  execute(connection_->extend_batch);
}

std::int64_t SqliteStore::insert_task(const Task& task, std::int64_t batch, std::uint32_t attempts,
                                      Timestamp now) {
  const std::optional<Timestamp> created = created_time(task);
  SQLite::Statement& statement = connection_->insert_task;
  statement.bind(1, ++last_sequence_);
  statement.bind(2, batch);
  bind_bytes(statement, 3, task.id);
  created ? statement.bind(4, created->time_since_epoch().count()) : statement.bind(4);
  statement.bind(5, static_cast<int>(task.wants_output));
  bind_bytes(statement, 6, task.arguments);
  statement.bind(7, attempts);
  bind_result(statement, task, now);
  execute(statement);
  return last_sequence_;
}

void SqliteStore::change_task(const Task& task, std::int64_t row, Timestamp now) {
  connection_->change_task.bind(1, row);
  bind_result(connection_->change_task, task, now);
  execute(connection_->change_task);
}

void SqliteStore::bind_result(SQLite::Statement& statement, const Task& task, Timestamp now) {
  const TaskResult& result = *task.result;
  const std::int64_t exit_code = wire_exit_code(result.exit_code);
  const bool capture = options_.capture_output;
  const bool error_wanted = capture || exit_code != 0;
  statement.bind(8, result.finished.value_or(now).time_since_epoch().count());
  statement.bind(9, exit_code);
  bind_or_null(statement, 10, capture ? &result.output : nullptr);
  bind_or_null(statement, 11, error_wanted ? &result.error : nullptr);
  bind_or_null(statement, 12, capture && !result.process_output.empty() ? &result.process_output : nullptr);
  bind_or_null(statement, 13,
               error_wanted && !result.process_error.empty() ? &result.process_error : nullptr);
  bind_or_null(statement, 14, result.ended_by.empty() ? nullptr : &result.ended_by);
}

std::optional<Timestamp> SqliteStore::created_time(const Task& task) {
  if (task.created_date != last_created_text_) {
    last_created_ = parse_rfc3339(task.created_date);
    last_created_text_ = task.created_date;
  }
  return last_created_;
}

}  // namespace quire
