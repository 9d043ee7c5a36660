#include "worker/owed_table.hpp"

#include <filesystem>

#include <SQLiteCpp/SQLiteCpp.h>

#include "common/plural.hpp"
#include "common/text.hpp"
#include "worker/sqlite_connection.hpp"

namespace quire {
namespace {

constexpr int busy_timeout = 5'000;  // milliseconds

Timestamp from_microseconds(std::int64_t count) { return Timestamp(std::chrono::microseconds(count)); }

}  // namespace

std::string Owed::describe() const {
  return counted(results, "result is", "results are") + " owed to the controller's database since " +
         record_time(since).substr(0, 19);
}

Owed owed_in(const std::string& path) try {
  if (!std::filesystem::exists(path)) return {};
  SQLite::Database database(path, SQLite::OPEN_READONLY, busy_timeout);
  if (!database.tableExists("Owed")) return {};
  SQLite::Statement row(
      database, "SELECT count(*), coalesce(min(ended), 0) FROM Owed JOIN EndedTasks USING (sequence)");
  row.executeStep();
  return {.results = static_cast<std::uint64_t>(row.getColumn(0).getInt64()),
          .since = from_microseconds(row.getColumn(1).getInt64())};
} catch (const std::exception&) {
  return {};
}

std::vector<OwedBatch> oldest_owed(const std::string& path, std::size_t most, std::size_t bytes) {
  SQLite::Database database(path, SQLite::OPEN_READONLY, busy_timeout);
  SQLite::Statement row(database, R"(
    SELECT sequence, batch, taskUUID, ended, exitCode, stdOut, stdError, attempts > 0, startTime, client, exec, handle
    FROM Owed JOIN EndedTasks USING (sequence) LEFT JOIN Batches USING (batch) ORDER BY sequence LIMIT ?1)");
  row.bind(1, static_cast<std::int64_t>(most));
  std::vector<OwedBatch> owed;
  std::int64_t last_batch = -1;
  bool last_was_run = false;
  for (std::size_t size = 0; size <= bytes && row.executeStep();) {
    const bool was_run = row.getColumn(7).getInt() != 0 && !row.getColumn(8).isNull();
    const std::int64_t batch = row.getColumn(1).getInt64();
    if (owed.empty() || batch != last_batch || was_run != last_was_run) {
      OwedBatch& next = owed.emplace_back();
      next.batch.function = bytes_of(row.getColumn(10));
      next.batch.handle = bytes_of(row.getColumn(11));
      next.client = bytes_of(row.getColumn(9));
      if (was_run) next.began = parse_rfc3339(row.getColumn(8).getString() + "+00:00").value_or(Timestamp());
      last_batch = batch;
      last_was_run = was_run;
    }
    owed.back().results.push_back(row.getColumn(0).getInt64());
    Task& task = owed.back().batch.tasks.emplace_back();
    task.id = bytes_of(row.getColumn(2));
    TaskResult& result = task.result.emplace();
    result.on_record = true;
    result.finished = from_microseconds(row.getColumn(3).getInt64());
    result.exit_code = row.getColumn(4).getInt64();
    result.output = bytes_of(row.getColumn(5));
    result.error = bytes_of(row.getColumn(6));
    size += result.output.size() + result.error.size();
  }
  return owed;
}

}  // namespace quire
