#include "worker/record_reader.hpp"

#include "worker/sqlite_connection.hpp"

namespace quire {

std::optional<std::int64_t> find_task(SQLite::Database& database, const std::string& id) {
  SQLite::Statement ended(database, R"(
    SELECT sequence FROM Batches CROSS JOIN EndedTasks ON sequence BETWEEN firstTask AND lastTask
    WHERE Batches.batch = ?1 AND EndedTasks.batch = ?1 AND taskUUID = ?2 ORDER BY sequence DESC LIMIT 1)");
  SQLite::Statement running(
      database, "SELECT sequence FROM Tasks WHERE batch = ?1 AND taskUUID = ?2 AND sequence >= 1 << 62");
  for (const std::int64_t batch : find_batches(database, task_hash(id))) {
    for (SQLite::Statement* statement : {&ended, &running}) {
      statement->bind(1, batch);
      bind_bytes(*statement, 2, id);
      if (statement->executeStep()) return statement->getColumn(0).getInt64();
      statement->reset();
    }
  }
  return std::nullopt;
}

std::vector<std::int64_t> newest_tasks_of(SQLite::Database& database, const std::string& function,
                                          std::size_t most) {
  SQLite::Statement statement(database, R"(
    SELECT sequence FROM Batches CROSS JOIN EndedTasks ON sequence BETWEEN firstTask AND lastTask
    WHERE exec = ?1 AND EndedTasks.batch = Batches.batch
    ORDER BY Batches.batch DESC, sequence DESC LIMIT ?2)");
  bind_bytes(statement, 1, function);
  statement.bind(2, static_cast<std::int64_t>(most));
  std::vector<std::int64_t> found;
  while (statement.executeStep()) found.push_back(statement.getColumn(0).getInt64());
  return found;
}

}  // namespace quire
