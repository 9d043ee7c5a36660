#include "worker/record_maintenance.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include "worker/sqlite_connection.hpp"
#include "worker/write_turn.hpp"

namespace quire {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// So many rows are looked at in one transaction: more or fewer as they take less or more time than they may,
// since a row may have a hundred bytes or a hundred million.
constexpr std::int64_t rows_at_first = 500;
constexpr std::int64_t most_rows = 4'000;
constexpr milliseconds long_transaction{10};

// After each one workers have the file for themselves.
constexpr milliseconds shortest_pause{2};
constexpr milliseconds longest_pause{200};

constexpr milliseconds turn_patience{100};
constexpr std::chrono::seconds file_patience{30};

// Counting only reads and so keeps nobody waiting, but is to be left when nobody wants the answer any more.
constexpr std::int64_t rows_counted_at_once = 65'536;

constexpr const char* from_chosen_tasks = R"(
  FROM EndedTasks LEFT JOIN Batches USING (batch)
  WHERE sequence BETWEEN ?1 AND ?2 AND (?3 IS NULL OR exec = ?3) AND (?4 IS NULL OR ended < ?4)
    AND iif(endedBy IS 'cancelled', ?7, iif(exitCode = 0, ?5, ?6))
    AND (?8 OR NOT EXISTS (SELECT 1 FROM Owed WHERE Owed.sequence = EndedTasks.sequence)))";

class Deletion {
 public:
  Deletion(SQLite::Database& database, const EndedTasks& which, const DeletionWatch& watch, WriteTurn* turn)
      : database_(database), which_(which), watch_(watch), turn_(turn) {}

  std::uint64_t run() {
    try {
      count();
      // Where the last rows go, their numbers are not given again.
      transaction([&] {
        database_.exec(
            "UPDATE Deleted SET sequence = max(sequence, (SELECT ifnull(max(sequence), 0) FROM EndedTasks))");
      });
      delete_tasks();
      delete_batches();
      delete_runs();
    } catch (const Stopped&) {
      // What was done stays done.
    }
    return progress_.deleted;
  }

 private:
  struct Stopped {};

  struct Range {
    std::int64_t first = 0;
    std::int64_t last = -1;
  };
  Range places_in(const std::string& table) {
    return {database_.execAndGet("SELECT ifnull(min(rowid), 0) FROM " + table).getInt64(),
            database_.execAndGet("SELECT ifnull(max(rowid), -1) FROM " + table).getInt64()};
  }

  void look_whether_to_go_on() const {
    if (watch_ && !watch_(progress_)) throw Stopped();
  }

  SQLite::Statement of_chosen_tasks(const std::string& statement) {
    SQLite::Statement tasks(database_, statement);
    bind_or_null(tasks, 3, which_.function.empty() ? nullptr : &which_.function);
    which_.before ? tasks.bind(4, which_.before->time_since_epoch().count()) : tasks.bind(4);
    int index = 5;
    for (const bool chosen : {which_.done, which_.failed, which_.cancelled, which_.owed})
      tasks.bind(index++, static_cast<int>(chosen));
    return tasks;
  }

  static void bind_range(SQLite::Statement& statement, Range range) {
    statement.bind(1, range.first);
    statement.bind(2, range.last);
  }

  static std::int64_t answer(SQLite::Statement& question) {
    question.executeStep();
    const std::int64_t number = question.getColumn(0).getInt64();
    question.reset();
    return number;
  }

  void count() {
    SQLite::Statement number = of_chosen_tasks(std::string("SELECT count(*)") + from_chosen_tasks);
    const Range all = places_in("EndedTasks");
    std::uint64_t total = 0;
    for (std::int64_t first = all.first; first <= all.last; first += rows_counted_at_once) {
      look_whether_to_go_on();
      bind_range(number, {first, std::min(all.last, first + rows_counted_at_once - 1)});
      total += static_cast<std::uint64_t>(answer(number));
    }
    progress_.total = total;
  }

  void delete_tasks() {
    SQLite::Statement any = of_chosen_tasks(std::string("SELECT EXISTS (SELECT 1") + from_chosen_tasks + ")");
    SQLite::Statement tasks = of_chosen_tasks(
        std::string("DELETE FROM EndedTasks WHERE sequence IN (SELECT sequence") + from_chosen_tasks + ")");
    stepwise("EndedTasks", any, tasks, [&](std::uint64_t deleted) { progress_.deleted += deleted; });
  }

  void delete_batches() {
    static const std::string condition = R"( FROM Batches
      WHERE batch BETWEEN ?1 AND ?2 AND endTime IS NOT NULL AND workload IS NULL AND interrupted IS NULL
        AND NOT EXISTS (SELECT 1 FROM EndedTasks
                        WHERE sequence BETWEEN firstTask AND lastTask AND EndedTasks.batch = Batches.batch))";
    SQLite::Statement any(database_, "SELECT EXISTS (SELECT 1" + condition + ")");
    SQLite::Statement batches(database_, "DELETE" + condition);
    stepwise("Batches", any, batches, [](std::uint64_t) {});
  }

  // A run whose batches are gone cannot lead to anything.
  void delete_runs() {
    std::vector<std::int64_t> runs;
    SQLite::Statement gone(database_, R"(
      SELECT run FROM TaskIdRuns
      WHERE NOT EXISTS (SELECT 1 FROM Batches WHERE batch BETWEEN firstBatch AND lastBatch))");
    while (gone.executeStep()) runs.push_back(gone.getColumn(0).getInt64());
    gone.reset();
    SQLite::Statement blocks(database_, "DELETE FROM TaskIds WHERE run = ?1");
    SQLite::Statement run(database_, "DELETE FROM TaskIdRuns WHERE run = ?1");
    for (const std::int64_t number : runs) {
      transaction([&] {
        for (SQLite::Statement* const statement : {&blocks, &run}) {
          statement->bind(1, number);
          execute(*statement);
        }
      });
    }
    transaction([&] {
      database_.exec("DELETE FROM Owed WHERE sequence NOT IN (SELECT sequence FROM EndedTasks)");
      database_.exec(
          "DELETE FROM Attempts WHERE NOT EXISTS (SELECT 1 FROM Batches WHERE Batches.batch = "
          "Attempts.batch)");
    });
  }

  // Runs a statement for all rows of a table, so many at a time: from ?1 to ?2. `any` tells beforehand
  // whether there is something for it to do, which is no reason to keep others waiting.
  template <typename Told>
  void stepwise(const std::string& table, SQLite::Statement& any, SQLite::Statement& statement, Told told) {
    const Range all = places_in(table);
    std::int64_t size = rows_at_first;
    for (Range range{.first = all.first}; range.first <= all.last; range.first = range.last + 1) {
      range.last = std::min(all.last, range.first + size - 1);
      bind_range(any, range);
      if (answer(any) == 0) {
        look_whether_to_go_on();
        continue;
      }
      bind_range(statement, range);
      const auto took = transaction([&] { told(static_cast<std::uint64_t>(execute(statement))); });
      size = took > long_transaction ? std::max<std::int64_t>(size / 2, 1) : std::min(size * 2, most_rows);
    }
  }

  // One transaction, and the pause after it. Gives for how long it had the file.
  template <typename Work>
  Clock::duration transaction(Work work) {
    SQLite::Transaction transaction = begin();
    const auto since = Clock::now();
    work();
    transaction.commit();
    const auto took = Clock::now() - since;
    std::this_thread::sleep_for(std::clamp<Clock::duration>(took, shortest_pause, longest_pause));
    return took;
  }

  // Waits for the file for as long as is sensible and wanted.
  SQLite::Transaction begin() {
    const auto until = Clock::now() + file_patience;
    for (;;) {
      look_whether_to_go_on();
      const WriteTurn::Held next = turn_ == nullptr ? nullptr : turn_->take(turn_patience);
      try {
        return SQLite::Transaction(database_, SQLite::TransactionBehavior::IMMEDIATE);
      } catch (const SQLite::Exception& error) {
        if (!is_busy(error) || Clock::now() >= until) throw;
      }
    }
  }

  SQLite::Database& database_;
  const EndedTasks& which_;
  const DeletionWatch& watch_;
  WriteTurn* const turn_;
  DeletionProgress progress_;
};

}  // namespace

std::uint64_t delete_ended_tasks(SQLite::Database& database, const EndedTasks& which,
                                 const DeletionWatch& watch, WriteTurn* turn) {
  return Deletion(database, which, watch, turn).run();
}

}  // namespace quire
