#include "worker/task_index.hpp"

#include <algorithm>
#include <bit>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstring>
#include <functional>
#include <map>
#include <span>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "worker/id_filter.hpp"

namespace quire {
namespace {

// Hashes and blocks are written as they are in memory.
static_assert(std::endian::native == std::endian::little);

// So many are in memory, in about 3 MB, before they are written as a run, in a few milliseconds.
constexpr std::size_t entries_of_a_run = 65'536;

// So many are a block: with its row's other columns it fills a page of 4,096 bytes.
constexpr std::size_t entries_of_a_block = 250;

// The filter has at least 8 bits for each task and grows by doubling, up to a size that serves 67 million. A record
// that is new or small costs its worker no megabytes.
constexpr std::size_t smallest_filter = std::size_t{256} << 10;
constexpr std::size_t largest_filter = std::size_t{64} << 20;

struct Entry {
  TaskHash hash = 0;
  std::int64_t batch = 0;
  auto operator<=>(const Entry&) const = default;
};

template <class T>
std::vector<T> read_array(const SQLite::Column& column) {
  std::vector<T> values(static_cast<std::size_t>(column.getBytes()) / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), column.getBlob(), values.size() * sizeof(T));
  return values;
}

// In each run, the only block that may have the hash.
constexpr const char* find_in_runs = R"(
  SELECT (SELECT entries FROM TaskIds WHERE TaskIds.run = TaskIdRuns.run AND low <= ?1 ORDER BY low DESC LIMIT 1)
  FROM TaskIdRuns)";

void find(SQLite::Statement& blocks, TaskHash hash, std::vector<std::int64_t>& batches) {
  blocks.bind(1, hash);
  while (blocks.executeStep()) {
    const std::vector<Entry> entries = read_array<Entry>(blocks.getColumn(0));
    for (const Entry& entry : std::ranges::equal_range(entries, hash, {}, &Entry::hash))
      batches.push_back(entry.batch);
  }
  blocks.reset();
}

}  // namespace

TaskHash task_hash(std::string_view id) { return static_cast<TaskHash>(XXH3_64bits(id.data(), id.size())); }

std::string bytes_of_hashes(const std::vector<TaskHash>& hashes) {
  return {reinterpret_cast<const char*>(hashes.data()), hashes.size() * sizeof(TaskHash)};
}

std::vector<std::int64_t> find_batches(SQLite::Database& database, TaskHash hash) {
  std::vector<std::int64_t> batches;
  SQLite::Statement recent(database, R"(
    SELECT batch FROM Batches
    WHERE batch > coalesce((SELECT max(lastBatch) FROM TaskIdRuns), 0) AND instr(ids, ?1))");
  recent.bind(1, static_cast<const void*>(&hash), sizeof hash);
  while (recent.executeStep()) batches.push_back(recent.getColumn(0).getInt64());
  SQLite::Statement blocks(database, find_in_runs);
  find(blocks, hash, batches);
  std::ranges::sort(batches, std::greater());
  return batches;
}

struct TaskIndex::Impl {
  explicit Impl(SQLite::Database& database)
      : read_settled(database, "SELECT coalesce(max(lastBatch), 0) FROM TaskIdRuns"),
        read_batches(database, "SELECT batch, ids FROM Batches WHERE batch > ?1 ORDER BY batch"),
        read_blocks(database, "SELECT entries FROM TaskIds"),
        blocks_of_hash(database, find_in_runs),
        insert_run(database, "INSERT INTO TaskIdRuns (firstBatch, lastBatch) VALUES (?1, ?2) RETURNING run"),
        insert_block(database, "INSERT INTO TaskIds (run, low, entries) VALUES (?1, ?2, ?3)") {}

  void read_filter();
  void remember(TaskHash hash, std::int64_t batch);
  void forget_settled();
  void write_run(const std::vector<Entry>& entries);

  SQLite::Statement read_settled;
  SQLite::Statement read_batches;
  SQLite::Statement read_blocks;
  SQLite::Statement blocks_of_hash;
  SQLite::Statement insert_run;
  SQLite::Statement insert_block;
  std::int64_t settled = 0;  // batches up to this one are in runs
  std::int64_t known = 0;    // and up to this one we have read them
  IdFilter filter{smallest_filter};
  std::size_t in_filter = 0;
  // Of those that are in no run: the last batch of each hash, and the earlier ones of what came more than
  // once.
  boost::unordered_flat_map<TaskHash, std::int64_t> last_batch;
  std::multimap<TaskHash, std::int64_t> earlier_batches;
};

TaskIndex::TaskIndex(SQLite::Database& database) : impl_(std::make_unique<Impl>(database)) { refresh(); }

TaskIndex::~TaskIndex() = default;

void TaskIndex::refresh() {
  Impl& my = *impl_;
  my.read_settled.executeStep();
  const std::int64_t settled = my.read_settled.getColumn(0).getInt64();
  my.read_settled.reset();
  if (std::exchange(my.settled, settled) < settled) {
    if (my.known == 0) {
      my.known = settled;
      my.read_filter();
    }
    my.forget_settled();
  }
  my.read_batches.bind(1, my.known);
  while (my.read_batches.executeStep()) {
    my.known = my.read_batches.getColumn(0).getInt64();
    for (const TaskHash hash : read_array<TaskHash>(my.read_batches.getColumn(1)))
      my.remember(hash, my.known);
  }
  my.read_batches.reset();
}

void TaskIndex::add(std::int64_t batch, const std::vector<TaskHash>& hashes) {
  impl_->known = std::max(impl_->known, batch);
  for (const TaskHash hash : hashes) impl_->remember(hash, batch);
}

std::vector<std::int64_t> TaskIndex::batches_of(TaskHash hash) {
  Impl& my = *impl_;
  std::vector<std::int64_t> batches;
  if (!my.filter.may_have(static_cast<std::uint64_t>(hash))) return batches;
  if (const auto last = my.last_batch.find(hash); last != my.last_batch.end()) {
    batches.push_back(last->second);
    const auto [begin, end] = my.earlier_batches.equal_range(hash);
    for (auto entry = begin; entry != end; ++entry) batches.push_back(entry->second);
  }
  if (my.settled > 0) find(my.blocks_of_hash, hash, batches);
  std::ranges::sort(batches, std::greater());
  return batches;
}

void TaskIndex::settle() {
  Impl& my = *impl_;
  if (my.last_batch.size() + my.earlier_batches.size() < entries_of_a_run) return;
  std::vector<Entry> entries;
  entries.reserve(my.last_batch.size() + my.earlier_batches.size());
  for (const auto& [hash, batch] : my.last_batch) entries.push_back({hash, batch});
  for (const auto& [hash, batch] : my.earlier_batches) entries.push_back({hash, batch});
  std::ranges::sort(entries);
  my.write_run(entries);
  my.settled = my.known;
  my.forget_settled();
  if (my.in_filter > my.filter.bytes() && my.filter.bytes() < largest_filter) my.read_filter();
}

// Again with more room where there is much to read.
void TaskIndex::Impl::read_filter() {
  const auto take = [&] {
    in_filter = 0;
    while (read_blocks.executeStep()) {
      const std::vector<Entry> entries = read_array<Entry>(read_blocks.getColumn(0));
      for (const Entry& entry : entries) filter.add(static_cast<std::uint64_t>(entry.hash));
      in_filter += entries.size();
    }
    read_blocks.reset();
    for (const auto& [hash, batch] : last_batch) filter.add(static_cast<std::uint64_t>(hash));
    in_filter += last_batch.size();
  };
  std::size_t bytes = filter.bytes();
  if (in_filter > bytes) bytes *= 2;
  filter = IdFilter(bytes);
  for (take(); in_filter > bytes && bytes < largest_filter; take()) {
    bytes = std::min(largest_filter, std::bit_ceil(in_filter));
    filter = IdFilter(bytes);
  }
}

void TaskIndex::Impl::remember(TaskHash hash, std::int64_t batch) {
  filter.add(static_cast<std::uint64_t>(hash));
  ++in_filter;
  if (batch <= settled) return;
  const auto [place, is_new] = last_batch.try_emplace(hash, batch);
  if (!is_new) earlier_batches.emplace(hash, std::exchange(place->second, batch));
}

void TaskIndex::Impl::forget_settled() {
  const auto is_in_run = [&](const auto& entry) { return entry.second <= settled; };
  boost::unordered::erase_if(last_batch, is_in_run);
  std::erase_if(earlier_batches, is_in_run);
}

void TaskIndex::Impl::write_run(const std::vector<Entry>& entries) {
  insert_run.bind(1, settled + 1);
  insert_run.bind(2, known);
  insert_run.executeStep();
  const std::int64_t run = insert_run.getColumn(0).getInt64();
  insert_run.reset();
  for (auto begin = entries.begin(); begin != entries.end();) {
    auto end = begin + std::min<std::ptrdiff_t>(entries_of_a_block, entries.end() - begin);
    // What has the same hash is in one block, so that one is enough to look at.
    while (end != entries.end() && end->hash == std::prev(end)->hash) ++end;
    insert_block.bind(1, run);
    insert_block.bind(2, begin->hash);
    insert_block.bindNoCopy(3, static_cast<const void*>(&*begin),
                            static_cast<int>((end - begin) * static_cast<std::ptrdiff_t>(sizeof(Entry))));
    insert_block.exec();
    insert_block.reset();
    begin = end;
  }
}

}  // namespace quire
