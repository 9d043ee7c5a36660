#include "worker/record_clearing.hpp"

#include <filesystem>
#include <stdexcept>

#include <SQLiteCpp/SQLiteCpp.h>

#include "worker/record_maintenance.hpp"
#include "worker/sqlite_schema.hpp"

namespace quire {
namespace {

constexpr int busy_timeout = 30'000;  // milliseconds

}  // namespace

std::uint64_t clear_record(const std::string& path, const Clearing& which) try {
  if (!std::filesystem::exists(path)) throw std::runtime_error("it is not there");
  SQLite::Database database(path, SQLite::OPEN_READWRITE, busy_timeout);
  prepare_record(database);
  return delete_ended_tasks(database,
                            {.function = which.function, .before = which.before, .failed = which.failed});
} catch (const std::exception& error) {
  throw std::runtime_error("The record " + path + " cannot be cleared: " + error.what() + ".");
}

}  // namespace quire
