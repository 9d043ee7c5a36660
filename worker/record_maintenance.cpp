#include "worker/record_maintenance.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "worker/sqlite_connection.hpp"

namespace quire {
namespace {

// So many rows are looked at in one transaction, of some 20 ms at most. After each one workers have the file
// for themselves for a moment.
constexpr std::int64_t tasks_at_once = 4'000;
constexpr std::int64_t batches_at_once = 1'000;
constexpr std::chrono::milliseconds moment{2};

// Runs a statement for all rows of a table, so many at a time: from ?1 to ?2. Gives how many it has deleted.
std::uint64_t delete_stepwise(SQLite::Database& database, const std::string& table, std::int64_t step,
                              SQLite::Statement& statement) {
  std::uint64_t deleted = 0;
  std::int64_t next = database.execAndGet("SELECT ifnull(min(rowid), 0) FROM " + table).getInt64();
  const std::int64_t end = database.execAndGet("SELECT ifnull(max(rowid), -1) FROM " + table).getInt64();
  for (; next <= end; next += step) {
    SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
    statement.bind(1, next);
    statement.bind(2, std::min(end, next + step - 1));
    deleted += static_cast<std::uint64_t>(execute(statement));
    transaction.commit();
    std::this_thread::sleep_for(moment);
  }
  return deleted;
}

}  // namespace

std::uint64_t delete_ended_tasks(SQLite::Database& database, const EndedTasks& which) {
  // Where the last rows go, their numbers are not given again.
  database.exec(
      "UPDATE Deleted SET sequence = max(sequence, (SELECT ifnull(max(sequence), 0) FROM EndedTasks))");
  SQLite::Statement tasks(database, R"(
    DELETE FROM EndedTasks WHERE sequence IN (
      SELECT sequence FROM EndedTasks LEFT JOIN Batches USING (batch)
      WHERE sequence BETWEEN ?1 AND ?2 AND (?3 IS NULL OR exec = ?3) AND (?4 IS NULL OR ended < ?4)
        AND (?5 IS NULL OR (exitCode <> 0) = ?5)))");
  bind_or_null(tasks, 3, which.function.empty() ? nullptr : &which.function);
  which.before ? tasks.bind(4, which.before->time_since_epoch().count()) : tasks.bind(4);
  which.failed ? tasks.bind(5, static_cast<int>(*which.failed)) : tasks.bind(5);
  const std::uint64_t deleted = delete_stepwise(database, "EndedTasks", tasks_at_once, tasks);

  SQLite::Statement batches(database, R"(
    DELETE FROM Batches
    WHERE batch BETWEEN ?1 AND ?2 AND endTime IS NOT NULL AND workload IS NULL AND interrupted IS NULL
      AND NOT EXISTS (SELECT 1 FROM EndedTasks
                      WHERE sequence BETWEEN firstTask AND lastTask AND EndedTasks.batch = Batches.batch))");
  delete_stepwise(database, "Batches", batches_at_once, batches);

  // A run whose batches are gone cannot lead to anything.
  SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
  database.exec(R"(
    DELETE FROM TaskIds WHERE run IN (
      SELECT run FROM TaskIdRuns
      WHERE NOT EXISTS (SELECT 1 FROM Batches WHERE batch BETWEEN firstBatch AND lastBatch));
    DELETE FROM TaskIdRuns
      WHERE NOT EXISTS (SELECT 1 FROM Batches WHERE batch BETWEEN firstBatch AND lastBatch);
    DELETE FROM Attempts
      WHERE NOT EXISTS (SELECT 1 FROM Batches WHERE Batches.batch = Attempts.batch);)");
  transaction.commit();
  return deleted;
}

}  // namespace quire
