// Table Owed of the record, read: results that the controller's database has not got yet. They are written
// there by owed_results.hpp, of this worker or of the next one with this record.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "worker/batch.hpp"

namespace SQLite {
class Database;
}

namespace quire {

struct Owed {
  std::uint64_t results = 0;
  Timestamp since{};  // the end of the oldest

  // "3 results are owed to the database since 2024-08-04 21:44:55."
  std::string describe() const;
};

// Tasks of one batch.
struct OwedBatch {
  Batch batch;                        // those of its tasks whose results are owed
  Timestamp began{};                  // the beginning of time: they were answered without being run
  std::string client;                 // who ran them
  std::vector<std::int64_t> results;  // for SqliteRecord::paid()
};

// Nothing where there is no record, or one of an earlier version, or it cannot be read.
Owed owed_in(const std::string& path);

// The oldest ones, in the order in which they ended: so many at most, and no more than `bytes` of texts but
// for the last. Throws std::exception when the record cannot be read.
std::vector<OwedBatch> oldest_owed(const std::string& path, std::size_t most = 1'024,
                                   std::size_t bytes = 16 << 20);

}  // namespace quire
