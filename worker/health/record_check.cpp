#include "worker/health/record_check.hpp"

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <SQLiteCpp/SQLiteCpp.h>

#include "worker/sqlite_schema.hpp"

namespace quire {
namespace {

namespace fs = std::filesystem;

constexpr int busy_timeout = 5'000;  // milliseconds
constexpr int last_batches = 1'000;

// Whether the file could be made there, in the nearest folder that exists: only trying tells, for root too.
// What it makes is a folder, gone again at once.
std::string problem_of_missing(const fs::path& path) {
  std::error_code ignored;
  fs::path folder = path.parent_path();
  while (!folder.empty() && folder != folder.root_path() && !fs::exists(folder, ignored))
    folder = folder.parent_path();
  std::string trial = folder / ".quire-XXXXXX";
  if (::mkdtemp(trial.data()) == nullptr)
    return "it is not there and cannot be made in " + folder.string() + " (" + std::strerror(errno) + ").";
  ::rmdir(trial.c_str());
  return {};
}

}  // namespace

std::string record_problem(const std::string& path) try {
  std::error_code hidden;
  const bool exists = fs::exists(path, hidden);
  if (hidden && hidden != std::errc::not_a_directory)
    return "this user may not look there (" + hidden.message() + ").";
  if (!exists) return problem_of_missing(path);
  SQLite::Database database(path, SQLite::OPEN_READWRITE, busy_timeout);
  const int application = database.execAndGet("PRAGMA application_id").getInt();
  if (application != record_application_id && application != 0) return "it is a file of another program.";
  // A writer's lock, and nothing written.
  SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
  return {};
} catch (const std::exception& error) {
  return std::string(error.what()) + ".";
}

Timestamp latest_end(const std::string& path) try {
  if (std::error_code hidden; !fs::exists(path, hidden)) return {};
  SQLite::Database database(path, SQLite::OPEN_READONLY, busy_timeout);
  SQLite::Statement row(
      database, "SELECT max(endTime) FROM (SELECT endTime FROM Batches ORDER BY batch DESC LIMIT ?1)");
  row.bind(1, last_batches);
  if (!row.executeStep() || row.getColumn(0).isNull()) return {};
  return parse_rfc3339(row.getColumn(0).getString() + "+00:00").value_or(Timestamp());
} catch (const SQLite::Exception&) {
  return {};
}

}  // namespace quire
