// One room although it is long: every question reads the same few relations, and what their columns mean is
// told once.
#include "worker/task_query.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <limits>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <SQLiteCpp/SQLiteCpp.h>

#include "worker/record_reader.hpp"
#include "worker/settings.hpp"
#include "worker/sqlite_schema.hpp"
#include "worker/worker_presence.hpp"

namespace quire {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int busy_timeout = 5'000;  // milliseconds; a reader waits only while a crashed writer's log is read

// Windows of places that are looked through at a time: a first small one, which most pages need, then ever
// larger ones. So no question sorts more than one window, however the relation Tasks is made.
constexpr std::int64_t first_window = 256;
constexpr std::int64_t largest_window = 65'536;
constexpr std::int64_t batch_window = 4'096;

constexpr auto counts_are_trusted = std::chrono::minutes(5);
constexpr const char* cancelled = "cancelled";
constexpr const char* host_condition =
    " AND (client = :host OR substr(client, 1, length(:host) + 1) = :host || ':')";

std::string bytes_of(const SQLite::Column& column) {
  const void* bytes = column.getBlob();
  return bytes == nullptr ? std::string() : std::string(static_cast<const char*>(bytes), column.getBytes());
}

std::optional<std::string> bytes_or_none(const SQLite::Column& column) {
  if (column.isNull()) return std::nullopt;
  return bytes_of(column);
}

std::optional<Timestamp> time_of(const SQLite::Column& column) {
  return column.isNull() ? std::nullopt : parse_rfc3339(bytes_of(column) + "+00:00");
}

// The columns of a TaskSummary in the order in which read_summary() takes them, and how many they are.
constexpr const char* summary_columns =
    "sequence, taskUUID, exec, arguments, createdTime, startTime, endTime, exitCode, client, batch, "
    "attempts, "
    "jobuuid, fileUUID, fileName, ";  // and who ended it
constexpr int summary_size = 15;
constexpr const char* texts = ", wantsOutput, stdOut, stdError, processOut, processError";

std::string pattern_of(const std::string& text) {
  std::string pattern = "%";
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern + '%';
}

// In the relation Tasks those that have not ended have places beyond all others, so that the newest come
// first. (In a record of an earlier version they stand among the others.)
constexpr std::int64_t first_open = std::int64_t{1} << 62;
constexpr std::int64_t last_of_all = std::numeric_limits<std::int64_t>::max();

// The highest place of a page.
std::int64_t place_of(const std::string& older) {
  if (older.empty()) return last_of_all;
  std::int64_t place = 0;
  const char* const end = older.data() + older.size();
  const auto [rest, error] = std::from_chars(older.data(), end, place);
  if (error != std::errc() || rest != end || place < 0) {
    throw std::invalid_argument("\"" + older + "\" is not where a page begins.");
  }
  return place;
}

std::int64_t inode_of(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? static_cast<std::int64_t>(status.st_ino) : -1;
}

}  // namespace

const char* name_of(TaskState state) {
  constexpr std::array names = {"queued", "running", "done", "failed", cancelled, "lost"};
  return names[static_cast<std::size_t>(state)];
}

std::optional<TaskState> task_state(std::string_view name) {
  for (const TaskState state : all_task_states) {
    if (name == name_of(state)) return state;
  }
  return std::nullopt;
}

bool has_ended(TaskState state) {
  return state == TaskState::done || state == TaskState::failed || state == TaskState::cancelled;
}

std::string_view what_is_awaited(const TaskSummary::Reported& reported) {
  return reported.counts ? "That is on record when its batch has ended."
                         : "That counts if its process ends well.";
}

const char* name_of(BatchState state) {
  constexpr std::array names = {"running", "done", "interrupted", "lost"};
  return names[static_cast<std::size_t>(state)];
}

struct TaskQuery::Impl {
  explicit Impl(std::string record) : path(std::move(record)) {}

  const std::string path;
  std::optional<SQLite::Database> database;
  std::optional<WorkerPresence> presence;
  std::int64_t inode = -1;
  std::string ended_by;     // the column, or what stands for it in a record of an earlier version
  std::string ended_tasks;  // the table of tasks that have ended
  bool attempts_by_id = false;
  std::string cancelled_of_batch;  // the column, likewise
  std::unordered_set<std::string> waiting;
  std::unordered_map<std::string, TaskReport> begun;

  struct BatchHand {
    bool known = false;
    bool interrupted = false;
    bool in_hand = false;  // by a worker that lives
    std::string handle, unique, delivery;
  };
  std::map<std::int64_t, BatchHand> hands;  // of one question

  struct Counted {
    std::map<TaskState, std::int64_t> ended;
    std::int64_t up_to = 0;
    std::int64_t first = 0;
    Clock::time_point since{};
  };
  Counted counted;

  // Every question goes through here.
  template <typename Question>
  auto ask(Question question) {
    try {
      open();
      hands.clear();
      return question();
    } catch (const SQLite::Exception& error) {
      close();
      throw RecordUnreadable("The record " + path + " cannot be read: " + error.what() +
                             ". `quire doctor` looks into it.");
    }
  }

  void close() {
    database.reset();
    presence.reset();
    counted = {};
  }

  void open() {
    if (path == no_record) {
      throw RecordUnreadable(
          "No record of tasks is kept here (record = none): `quire status` shows the batches in hand, and "
          "--record names the file of a record.");
    }
    const std::int64_t found = inode_of(path);
    if (database && found == inode) return;
    close();
    if (found < 0 && ::access(path.c_str(), F_OK) != 0 && errno == EACCES) {
      throw RecordUnreadable("This user may not look at the record " + path +
                             ": ask as root or as the user of the workers.");
    }
    if (found < 0) {
      throw RecordUnreadable("There is no record " + path +
                             ": a worker makes it when it starts; --record or --config names another one.");
    }
    inode = found;
    database.emplace(path, SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX, busy_timeout);
    if (database->execAndGet("PRAGMA application_id").getInt() != record_application_id) {
      close();
      throw RecordUnreadable("The file " + path + " is no record of quire's; --record names another one.");
    }
    if (!has_column("Batches", "delivery")) {
      close();
      throw RecordUnreadable(
          "The record " + path +
          " was made by an earlier version: start a worker with it, which brings it up to date.");
    }
    presence.emplace(path + "-workers", WorkerPresence::Access::look);
    ended_by = has_column("Tasks", "endedBy") ? "endedBy" : "NULL";
    cancelled_of_batch = has_column("Batches", "cancelled") ? "coalesce(cancelled, 0)" : "0";
    attempts_by_id = has_column("Attempts", "taskUUID");
    ended_tasks = has_column("EndedTasks", "sequence") ? "EndedTasks" : "Tasks";
  }

  bool has_column(const std::string& table, const std::string& column) {
    SQLite::Statement found(*database, "SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2");
    found.bind(1, table);
    found.bind(2, column);
    return found.executeStep();
  }

  // ---- what a row means ----

  const BatchHand& hand_of(std::int64_t batch) {
    const auto [place, is_new] = hands.try_emplace(batch);
    BatchHand& hand = place->second;
    if (!is_new) return hand;
    SQLite::Statement row(
        *database,
        "SELECT worker, endTime IS NULL, delivery, handle, uniqueId FROM Batches WHERE batch = ?1");
    row.bind(1, batch);
    if (!row.executeStep()) return hand;
    hand.known = true;
    hand.delivery = bytes_of(row.getColumn(2));
    hand.interrupted = hand.delivery == "interrupted";
    hand.in_hand = row.getColumn(1).getInt() != 0 && hand.delivery.empty() && !row.getColumn(0).isNull() &&
                   presence->is_alive(row.getColumn(0).getInt64());
    hand.handle = bytes_of(row.getColumn(3));
    hand.unique = bytes_of(row.getColumn(4));
    return hand;
  }

  TaskState state_of(const TaskSummary& task) {
    if (task.ended && task.exit_code) {
      if (task.ended_by == cancelled) return TaskState::cancelled;
      return *task.exit_code == 0 ? TaskState::done : TaskState::failed;
    }
    if (!task.begun) return TaskState::queued;
    const BatchHand& hand = hand_of(task.batch);
    if (hand.interrupted) return TaskState::queued;
    if (!hand.in_hand) return TaskState::lost;
    return waiting.contains(task.id) ? TaskState::queued : TaskState::running;
  }

  void add_report(TaskSummary& task) const {
    const auto found = begun.find(task.id);
    if (found == begun.end()) return;
    const TaskReport& report = found->second;
    if (report.cancelled) {
      task.state = TaskState::cancelled;
      task.ended_by = cancelled;
      if (!report.ended) task.begun.reset();  // only its batch has begun
    }
    if (report.begun) task.begun = report.begun;
    if (report.ended) {
      task.reported = TaskSummary::Reported{
          .ended = *report.ended, .exit_code = report.exit_code, .counts = report.counts};
    }
  }

  TaskSummary read_summary(SQLite::Statement& row) {
    TaskSummary task;
    task.sequence = row.getColumn(0).isNull() ? 0 : row.getColumn(0).getInt64();
    task.id = bytes_of(row.getColumn(1));
    task.function = bytes_of(row.getColumn(2));
    task.arguments = bytes_of(row.getColumn(3));
    task.created = time_of(row.getColumn(4));
    task.begun = time_of(row.getColumn(5));
    task.ended = time_of(row.getColumn(6));
    if (!row.getColumn(7).isNull()) task.exit_code = row.getColumn(7).getInt64();
    task.client = bytes_of(row.getColumn(8));
    task.batch = row.getColumn(9).isNull() ? 0 : row.getColumn(9).getInt64();
    task.attempts = row.getColumn(10).isNull() ? 0 : row.getColumn(10).getInt64();
    task.job = bytes_of(row.getColumn(11));
    task.file = bytes_of(row.getColumn(12));
    task.file_name = bytes_of(row.getColumn(13));
    task.ended_by = bytes_of(row.getColumn(14));
    task.state = state_of(task);
    if (task.state == TaskState::running || task.state == TaskState::queued) add_report(task);
    if (task.state == TaskState::queued) task.begun.reset();  // only its batch has begun
    return task;
  }

  // ---- which rows ----

  static bool wants(const TaskFilter& filter, TaskState state) {
    return filter.states.empty() || filter.states.contains(state);
  }
  bool wants_open(const TaskFilter& filter) const {
    // In hand, and cancelled as its worker tells.
    if (wants(filter, TaskState::cancelled) &&
        std::ranges::any_of(begun, [](const auto& each) { return each.second.cancelled; }))
      return true;
    return std::ranges::any_of(all_task_states,
                               [&](TaskState state) { return !has_ended(state) && wants(filter, state); });
  }
  static bool wants_ended(const TaskFilter& filter) {
    return std::ranges::any_of(all_task_states,
                               [&](TaskState state) { return has_ended(state) && wants(filter, state); });
  }

  // What the file can decide by itself, as a condition; whether a worker lives it cannot.
  std::string condition_of(const TaskFilter& filter) const {
    std::string text;
    if (!filter.states.empty()) {
      std::string states = wants_open(filter) ? "endTime IS NULL OR exitCode IS NULL" : "0";
      const std::string is_cancelled = ended_by + " IS '" + cancelled + "'";
      if (wants(filter, TaskState::cancelled)) states += " OR (" + is_cancelled + ")";
      if (wants(filter, TaskState::done)) states += " OR (exitCode = 0 AND NOT " + is_cancelled + ")";
      if (wants(filter, TaskState::failed)) states += " OR (exitCode <> 0 AND NOT " + is_cancelled + ")";
      text += " AND (" + states + ")";
    }
    if (!filter.function.empty()) text += " AND exec = :function";
    if (!filter.host.empty()) {
      text += host_condition;
    }
    if (filter.batch != 0) text += " AND batch = :batch";
    if (!filter.text.empty()) {
      text += R"( AND (arguments LIKE :text ESCAPE '\' OR taskUUID LIKE :text ESCAPE '\'))";
    }
    if (filter.since) text += " AND coalesce(startTime, endTime) >= :since";
    if (filter.until) text += " AND coalesce(startTime, endTime) < :until";
    return text;
  }

  static void bind_filter(SQLite::Statement& statement, const TaskFilter& filter) {
    if (!filter.function.empty()) statement.bind(":function", lower_case(filter.function));
    if (!filter.host.empty()) statement.bind(":host", filter.host);
    if (filter.batch != 0) statement.bind(":batch", filter.batch);
    if (!filter.text.empty()) statement.bind(":text", pattern_of(filter.text));
    if (filter.since) statement.bind(":since", record_time(*filter.since));
    if (filter.until) statement.bind(":until", record_time(*filter.until));
  }

  std::string select(const std::string& more = "") const {
    return std::string("SELECT ") + summary_columns + ended_by + more + " FROM Tasks";
  }

  bool all_stand_in_tasks() const { return ended_tasks == "Tasks"; }

  std::int64_t last_place() {
    return database->execAndGet("SELECT ifnull(max(sequence), 0) FROM " + ended_tasks).getInt64();
  }

  // Windows from `from` downwards to `to`, until `look` has seen enough.
  template <typename Look>
  static void descend(std::int64_t from, Look look, std::int64_t to = 1) {
    std::int64_t size = first_window;
    for (std::int64_t high = from; high >= to; high -= size, size = std::min(size * 4, largest_window)) {
      if (!look(std::max(high - size + 1, to), high)) return;
    }
  }

  struct Places {
    std::int64_t low = 1;
    std::int64_t high = 0;  // below `low`: there are none
  };

  // Between which places all tasks stand that have ended and to which the filter may apply: what tables of
  // batches and the index of failed tasks tell without a look at the tasks.
  Places places_of(const TaskFilter& filter) {
    Places places{.low = 1, .high = last_place()};
    if (all_stand_in_tasks()) return places;
    const auto narrow = [&](SQLite::Statement& row) {
      row.executeStep();
      if (row.getColumn(0).isNull()) {
        places.high = 0;
      } else {
        places.low = std::max(places.low, row.getColumn(0).getInt64());
        places.high = std::min(places.high, row.getColumn(1).getInt64());
      }
    };
    std::string condition;
    if (!filter.function.empty()) condition += " AND exec = :function";
    if (!filter.host.empty()) condition += host_condition;
    if (filter.batch != 0) condition += " AND batch = :batch";
    if (!condition.empty()) {
      SQLite::Statement row(
          *database,
          "SELECT min(firstTask), max(lastTask) FROM Batches WHERE firstTask IS NOT NULL" + condition);
      if (!filter.function.empty()) row.bind(":function", lower_case(filter.function));
      if (!filter.host.empty()) row.bind(":host", filter.host);
      if (filter.batch != 0) row.bind(":batch", filter.batch);
      narrow(row);
    }
    const bool only_failed = !filter.states.empty() && !filter.states.contains(TaskState::done) &&
                             !filter.states.contains(TaskState::cancelled);
    if (only_failed) {
      SQLite::Statement row(*database,
                            "SELECT (SELECT min(sequence) FROM EndedTasks WHERE exitCode <> 0), (SELECT "
                            "max(sequence) FROM EndedTasks WHERE exitCode <> 0)");
      narrow(row);
    }
    return places;
  }

  TaskPage list(const TaskFilter& filter, std::size_t size, const std::string& older) {
    TaskPage page;
    const std::int64_t from = place_of(older);
    SQLite::Statement row(*database, select(filter.with_texts ? texts : "") +
                                         " WHERE sequence BETWEEN :low AND :high" + condition_of(filter) +
                                         " ORDER BY sequence DESC");
    bind_filter(row, filter);
    // One more than the page has tells whether there is a next one.
    const auto look = [&](std::int64_t low, std::int64_t high) {
      row.reset();
      row.bind(":low", low);
      row.bind(":high", high);
      while (page.tasks.size() <= size && row.executeStep()) {
        TaskSummary task = read_summary(row);
        if (!wants(filter, task.state)) continue;
        if (filter.with_texts) read_texts(row, task);
        page.tasks.push_back(std::move(task));
      }
      return page.tasks.size() <= size;
    };
    const bool room = !(from >= first_open && wants_open(filter)) || look(first_open, from);
    if (room && (wants_ended(filter) || all_stand_in_tasks())) {
      const Places places = places_of(filter);
      descend(std::min(from, places.high), look, places.low);
    }
    if (page.tasks.size() > size) {
      page.tasks.pop_back();
      if (!page.tasks.empty()) page.older = std::to_string(page.tasks.back().sequence - 1);
    }
    return page;
  }

  static void read_texts(SQLite::Statement& row, TaskSummary& task) {
    task.output = bytes_or_none(row.getColumn(summary_size + 1));
    task.error = bytes_or_none(row.getColumn(summary_size + 2));
    task.process_output = bytes_or_none(row.getColumn(summary_size + 3));
    task.process_error = bytes_or_none(row.getColumn(summary_size + 4));
  }

  // ---- one task ----

  std::optional<TaskDetails> find(const std::string& id) {
    std::optional<TaskDetails> found;
    SQLite::Statement row(*database, select(texts) + " WHERE sequence BETWEEN ?2 AND ?3 AND taskUUID = ?1");
    row.bind(1, id);
    const auto look = [&](std::int64_t low, std::int64_t high) {
      row.reset();
      row.bind(2, low);
      row.bind(3, high);
      if (!row.executeStep()) return true;
      found.emplace();
      found->task = read_summary(row);
      found->wants_output = row.getColumn(summary_size).getInt() != 0;
      read_texts(row, found->task);
      return false;
    };
    if (all_stand_in_tasks()) {
      descend(last_place(), look);
    } else if (const std::optional<std::int64_t> place = find_task(*database, id)) {
      look(*place, *place);
    }
    if (found) tell_attempts(*found);
    return found;
  }

  void tell_attempts(TaskDetails& details) {
    const TaskSummary& task = details.task;
    const BatchHand& last = hand_of(task.batch);
    details.handle = last.handle;
    details.unique = last.unique;
    details.delivery = last.delivery;
    SQLite::Statement row(*database,
                          "SELECT batch, Batches.client, handle, Batches.startTime FROM Attempts JOIN "
                          "Batches USING (batch) WHERE " +
                              std::string(attempts_by_id ? "taskUUID" : "sequence") +
                              " = ?1 ORDER BY attempt");
    attempts_by_id ? row.bind(1, task.id) : row.bind(1, task.sequence);
    while (row.executeStep()) {
      if (row.getColumn(0).getInt64() == task.batch) continue;  // told below
      details.attempts.push_back({.batch = row.getColumn(0).getInt64(),
                                  .client = bytes_of(row.getColumn(1)),
                                  .handle = bytes_of(row.getColumn(2)),
                                  .begun = time_of(row.getColumn(3)),
                                  .end = "lost"});
    }
    if (!task.begun) return;
    std::string end = task.ended         ? "ended"
                      : last.interrupted ? "interrupted"
                      : last.in_hand     ? "running"
                                         : "lost";
    details.attempts.push_back({task.batch, task.client, last.handle, task.begun, std::move(end)});
  }

  // ---- figures ----

  std::map<TaskState, std::int64_t> counts() {
    const std::int64_t first =
        database->execAndGet("SELECT ifnull(min(sequence), 0) FROM " + ended_tasks).getInt64();
    // Where tasks that have not ended stand among the others, they may end behind our back.
    if (first != counted.first || Clock::now() - counted.since > counts_are_trusted || all_stand_in_tasks()) {
      counted = {.ended = {}, .up_to = 0, .first = first, .since = Clock::now()};
    }
    SQLite::Statement row(*database, "SELECT exitCode = 0, ifnull(" + ended_by + ", '') = '" + cancelled +
                                         "', count(*), max(sequence) FROM " + ended_tasks +
                                         " WHERE sequence > ?1 AND exitCode IS NOT NULL GROUP BY 1, 2");
    row.bind(1, counted.up_to);
    std::int64_t up_to = counted.up_to;
    while (row.executeStep()) {
      const TaskState state = row.getColumn(1).getInt() != 0   ? TaskState::cancelled
                              : row.getColumn(0).getInt() != 0 ? TaskState::done
                                                               : TaskState::failed;
      counted.ended[state] += row.getColumn(2).getInt64();
      up_to = std::max<std::int64_t>(up_to, row.getColumn(3).getInt64());
    }
    counted.up_to = up_to;

    std::map<TaskState, std::int64_t> open;
    SQLite::Statement task(*database,
                           select() + " WHERE " +
                               (all_stand_in_tasks() ? "endTime IS NULL OR exitCode IS NULL"
                                                     : "sequence >= " + std::to_string(first_open)));
    while (task.executeStep()) ++open[read_summary(task).state];

    std::map<TaskState, std::int64_t> all;
    for (const TaskState state : all_task_states) all[state] = counted.ended[state] + open[state];
    return all;
  }

  BatchPage batches(std::size_t size, std::int64_t older, const std::string& function) {
    BatchPage page;
    SQLite::Statement row(
        *database,
        "SELECT batch, handle, uniqueId, exec, client, startTime, endTime, tasks, coalesce(failed, 0), "
        "delivery, " +
            cancelled_of_batch +
            " FROM Batches WHERE batch <= ?1 AND (?2 = '' OR exec = ?2) ORDER BY batch DESC LIMIT ?3");
    row.bind(1, older > 0 ? older : std::numeric_limits<std::int64_t>::max());
    row.bind(2, lower_case(function));
    row.bind(3, static_cast<std::int64_t>(size + 1));
    while (row.executeStep()) {
      if (page.batches.size() == size) {
        page.older = row.getColumn(0).getInt64();
        break;
      }
      BatchSummary& batch = page.batches.emplace_back();
      batch.batch = row.getColumn(0).getInt64();
      batch.handle = bytes_of(row.getColumn(1));
      batch.unique = bytes_of(row.getColumn(2));
      batch.function = bytes_of(row.getColumn(3));
      batch.client = bytes_of(row.getColumn(4));
      batch.begun = time_of(row.getColumn(5));
      batch.ended = time_of(row.getColumn(6));
      batch.tasks = row.getColumn(7).getInt64();
      batch.failed = row.getColumn(8).getInt64();
      batch.delivery = bytes_of(row.getColumn(9));
      batch.cancelled = row.getColumn(10).getInt64();
      const BatchHand& hand = hand_of(batch.batch);
      batch.state = batch.ended        ? BatchState::done
                    : hand.interrupted ? BatchState::interrupted
                    : hand.in_hand     ? BatchState::running
                                       : BatchState::lost;
    }
    return page;
  }

  std::vector<MinuteFigures> last_hour(Timestamp now) {
    using std::chrono::minutes;
    const auto last = std::chrono::floor<minutes>(now);
    std::vector<MinuteFigures> figures(60);
    for (std::size_t i = 0; i < figures.size(); ++i)
      figures[i].minute = last - minutes(59 - static_cast<int>(i));

    const std::int64_t newest =
        database->execAndGet("SELECT coalesce(max(batch), 0) FROM Batches").getInt64();
    SQLite::Statement row(*database, "SELECT endTime, tasks, coalesce(failed, 0), " + cancelled_of_batch +
                                         " FROM Batches "
                                         "WHERE batch BETWEEN ?1 AND ?2 AND endTime IS NOT NULL");
    for (std::int64_t high = newest; high > 0; high -= batch_window) {
      row.reset();
      row.bind(1, high - batch_window + 1);
      row.bind(2, high);
      bool any = false;
      bool recent = false;
      while (row.executeStep()) {
        any = true;
        const std::optional<Timestamp> ended = time_of(row.getColumn(0));
        if (!ended || *ended < figures.front().minute) continue;
        recent = true;
        const auto minute = (std::chrono::floor<minutes>(*ended) - figures.front().minute) / minutes(1);
        if (static_cast<std::size_t>(minute) >= figures.size()) continue;
        figures[static_cast<std::size_t>(minute)].tasks += row.getColumn(1).getInt64();
        figures[static_cast<std::size_t>(minute)].failed += row.getColumn(2).getInt64();
        figures[static_cast<std::size_t>(minute)].cancelled += row.getColumn(3).getInt64();
      }
      // Thousands of batches that all ended before: those before them hardly ended later.
      if (any && !recent) break;
    }
    return figures;
  }

  std::vector<std::string> functions() {
    std::vector<std::string> names;
    SQLite::Statement row(*database, "SELECT DISTINCT exec FROM Batches ORDER BY exec");
    while (row.executeStep()) names.push_back(bytes_of(row.getColumn(0)));
    return names;
  }
};

TaskQuery::TaskQuery(std::string path) : path_(path), impl_(std::make_unique<Impl>(std::move(path))) {}
TaskQuery::~TaskQuery() = default;

void TaskQuery::count_anew() { impl_->counted = {}; }

void TaskQuery::know_in_hand(const std::vector<WorkerStatus>& workers) {
  impl_->waiting.clear();
  impl_->begun.clear();
  for (const WorkerStatus& worker : workers) {
    for (const BatchStatus& batch : worker.batches)
      impl_->waiting.insert(batch.waiting.begin(), batch.waiting.end());
    for (const SubsetStatus& subset : worker.subsets)
      impl_->waiting.insert(subset.waiting.begin(), subset.waiting.end());
    for (const TaskReport& report : worker.reports) impl_->begun.insert_or_assign(report.id, report);
  }
}

TaskPage TaskQuery::list(const TaskFilter& filter, std::size_t size, const std::string& older) {
  return impl_->ask([&] { return impl_->list(filter, size, older); });
}
std::optional<TaskDetails> TaskQuery::find(const std::string& id) {
  return impl_->ask([&] { return impl_->find(id); });
}
std::map<TaskState, std::int64_t> TaskQuery::counts() {
  return impl_->ask([&] { return impl_->counts(); });
}
BatchPage TaskQuery::batches(std::size_t size, std::int64_t older, const std::string& function) {
  return impl_->ask([&] { return impl_->batches(size, older, function); });
}
std::vector<MinuteFigures> TaskQuery::last_hour(Timestamp now) {
  return impl_->ask([&] { return impl_->last_hour(now); });
}
std::vector<std::string> TaskQuery::functions() {
  return impl_->ask([&] { return impl_->functions(); });
}

}  // namespace quire
