// One room although it is long: what a process has reported, captured and been ended for together make the
// results of its tasks.
#include "worker/subset.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <system_error>

#include "common/bounded_text.hpp"
#include "common/text.hpp"
#include "worker/drain.hpp"
#include "worker/host/descriptor.hpp"

namespace quire {

namespace {

using host_protocol::LedgerEntry;

// How much of what a process last wrote to its stderr is told with the failure of the job it died with.
constexpr std::size_t last_words = 4096;

[[noreturn]] void throw_errno(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// Nobody else may guess the bytes that end one job's text, so they come from the system's generator; through
// a buffer, since a subset is too small a thing for a system call of its own.
host_protocol::Nonce make_nonce() {
  static thread_local std::array<char, 256> buffer;  // the most that getrandom() gives in one piece for sure
  static thread_local std::size_t used = buffer.size();
  if (used == buffer.size()) {
    if (::getrandom(buffer.data(), buffer.size(), 0) != static_cast<ssize_t>(buffer.size()))
      throw_errno("getrandom");
    used = 0;
  }
  host_protocol::Nonce nonce;
  std::copy_n(buffer.begin() + static_cast<std::ptrdiff_t>(used), nonce.size(), nonce.begin());
  used += nonce.size();
  return nonce;
}

// A file in memory, read: a small one into memory that is kept for that, a large one where it is; empty where
// it cannot be. A large one is sealed first: whoever else has it could make it shorter, which is fatal to who
// reads it so.
class FileText {
 public:
  explicit FileText(int descriptor) {
    struct stat status {};
    if (::fstat(descriptor, &status) != 0) return;
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size <= small().size()) {
      const ssize_t got = ::pread(descriptor, small().data(), size, 0);
      if (got > 0) text_ = {small().data(), static_cast<std::size_t>(got)};
      return;
    }
    if (::fcntl(descriptor, F_ADD_SEALS, F_SEAL_SHRINK) != 0) return;
    bytes_ = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor, 0);
    if (bytes_ != MAP_FAILED) text_ = {static_cast<const char*>(bytes_), size};
  }
  ~FileText() {
    if (bytes_ != MAP_FAILED) ::munmap(bytes_, text_.size());
  }
  FileText(const FileText&) = delete;
  FileText& operator=(const FileText&) = delete;

  // Of a small file: until the next one is read.
  std::string_view text() const { return text_; }

 private:
  static std::vector<char>& small() {
    static thread_local std::vector<char> memory(256 * 1024);
    return memory;
  }

  std::string_view text_;
  void* bytes_ = MAP_FAILED;
};

std::string tail(std::string_view text, std::size_t size) {
  return std::string(text.size() <= size ? text : text.substr(text.size() - size));
}

void add_sentence(std::string& text, std::string_view sentence) {
  if (sentence.empty()) return;
  if (!text.empty() && text.back() != '\n') text += '\n';
  text += sentence;
  text += '\n';
}

}  // namespace

struct Subset::Impl {
  std::uint64_t number = 0;
  std::vector<Task*> tasks;
  Limits limits;
  Descriptor ledger;
  std::size_t head_size = 0;
  std::vector<std::size_t> places;  // of the jobs' first bytes in the ledger
  std::set<const Task*> cancelled;
  std::set<const Task*> failed_with;  // them
  std::vector<std::string> metrics;
  std::map<std::uint32_t, LedgerEntry> partly;  // by job
  std::unique_ptr<Drain> output;
  std::unique_ptr<Drain> error;
  int pid = 0;
  Timestamp begun{};

  bool has_entries() const {
    struct stat status {};
    return ::fstat(ledger.get(), &status) == 0 && static_cast<std::size_t>(status.st_size) > head_size;
  }

  // What the ledger tells: a result for every job that was reported, and how the script ended.
  struct Account {
    bool returned = false;
    bool clean = true;
    std::string escaped;
  };
  Account read_account() {
    Account account;
    const FileText file(ledger.get());
    const std::string_view entries = file.text().substr(std::min(head_size, file.text().size()));
    for (LedgerEntry& entry : host_protocol::decode_entries(entries, account.clean)) {
      if (entry.kind == 'R') account.returned = true;
      if (entry.kind == 'X') account.escaped = std::move(entry.text);
      if (entry.kind == 'M') metrics.push_back(std::move(entry.text));
      if (entry.kind == 'P') partly.insert_or_assign(entry.job, std::move(entry));
      if (entry.kind != 'E') continue;
      if (entry.job >= tasks.size()) {
        account.clean = false;
        continue;
      }
      TaskResult& result = tasks[entry.job]->result.emplace();
      result.exit_code = entry.exit_code;
      result.output = std::move(entry.output);
      result.error = std::move(entry.error);
      result.finished = Timestamp(std::chrono::microseconds(entry.microseconds));
    }
    return account;
  }

  // A result for a job that has none, with what it had written before its process was asked to end.
  void begin_result(std::size_t job) {
    TaskResult& result = tasks[job]->result.emplace();
    const auto found = partly.find(static_cast<std::uint32_t>(job));
    if (found == partly.end()) return;
    const std::uint64_t limit = limits.inside.output;
    BoundedText text(limit);
    text.append(found->second.output);
    BoundedText errors(limit);
    errors.append(found->second.error);
    result.output = text.text();
    result.error = errors.text();
    if (text.missing() > 0) add_sentence(result.error, output_limit_remark("stdout", text.missing(), limit));
  }

  // What the process wrote by itself while the job was worked on.
  void take_captured(std::size_t job, TaskResult& result) const {
    const BoundedText& written = output->text().of_job(job);
    const BoundedText& complained = error->text().of_job(job);
    result.process_output = written.text();
    result.process_error = complained.text();
    for (const auto& [text, name] : {std::pair(&written, "the process's own stdout"),
                                     std::pair(&complained, "the process's own stderr")}) {
      if (text->missing() == 0) continue;
      add_sentence(result.error, output_limit_remark(name, text->missing(), limits.inside.output));
    }
  }

  // The jobs that have been reported, some perhaps more than once. The process may be writing meanwhile.
  std::vector<host_protocol::EntryHead> reported_jobs() const {
    std::vector<host_protocol::EntryHead> jobs;
    char bytes[host_protocol::entry_head_size];
    for (std::size_t at = head_size;;) {
      const ssize_t got = ::pread(ledger.get(), bytes, sizeof bytes, static_cast<off_t>(at));
      if (got <= 0) return jobs;
      const auto head = host_protocol::decode_entry_head({bytes, static_cast<std::size_t>(got)});
      if (!head) return jobs;
      if (head->kind == 'E' && head->job < tasks.size()) jobs.push_back(*head);
      at += head->size;
    }
  }

  // Ended for the sake of tasks that are cancelled, by us or by itself before one of them began.
  bool ended_for_cancelled(const SubsetEnd& end, std::uint32_t current) const {
    if (cancelled.empty()) return false;
    return end.cause == "cancelled" || (current < tasks.size() && cancelled.contains(tasks[current]));
  }

  std::string cause(const SubsetEnd& end, const Account& account) const {
    if (end.how == SubsetEnd::How::not_started) return "The task was not started: " + end.reason;
    if (end.how == SubsetEnd::How::host_gone) {
      return "The process that ran this task was killed because its host process " + end.status.describe() +
             ".";
    }
    std::string text = "The process that ran this task (pid " + std::to_string(pid) + ") " +
                       end.status.describe() + " before its script was done.";
    if (!end.ended_by_us.empty()) text += "\n" + end.ended_by_us;
    if (!account.escaped.empty()) text += "\n" + account.escaped;
    return text;
  }
};

Subset::Subset(boost::asio::io_context& loop, std::uint64_t number, const std::string& function,
               const Limits& limits, std::vector<Task*> tasks)
    : impl_(std::make_shared<Impl>()) {
  const host_protocol::Nonce nonce = make_nonce();
  impl_->number = number;
  impl_->tasks = std::move(tasks);
  impl_->limits = limits;
  impl_->output = std::make_unique<Drain>(loop, nonce, impl_->tasks.size(), limits.inside.output);
  impl_->error = std::make_unique<Drain>(loop, nonce, impl_->tasks.size(), limits.inside.output);

  impl_->ledger = Descriptor(::memfd_create("quire-ledger", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!impl_->ledger) throw_errno("memfd_create");
  std::string head;
  host_protocol::append_call(head, nonce, limits.inside, function,
                             static_cast<std::uint32_t>(impl_->tasks.size()));
  impl_->places.reserve(impl_->tasks.size());
  for (const Task* task : impl_->tasks) {
    impl_->places.push_back(host_protocol::append_job(head, task->wants_output, task->id, task->words));
  }
  for (std::string_view left = head; !left.empty();) {
    const ssize_t written = ::write(impl_->ledger.get(), left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) throw_errno("writing the ledger");
    left.remove_prefix(static_cast<std::size_t>(written));
  }
  impl_->head_size = head.size();
}

Subset::~Subset() = default;

std::uint64_t Subset::number() const { return impl_->number; }
std::size_t Subset::size() const { return impl_->tasks.size(); }
const std::vector<Task*>& Subset::tasks() const { return impl_->tasks; }
int Subset::pid() const { return impl_->pid; }
void Subset::started(int pid) { impl_->pid = pid; }
bool Subset::has_begun() const { return impl_->pid != 0 || impl_->has_entries(); }

std::vector<int> Subset::descriptors_to_send() const {
  return {impl_->ledger.get(), impl_->output->writing_end(), impl_->error->writing_end()};
}

void Subset::descriptors_sent() {
  impl_->begun = now();  // its process is about to begin, and may have ended a task before that is heard of
  impl_->output->start();
  impl_->error->start();
}

std::vector<Subset::Progress> Subset::progress() {
  std::vector<Progress> all(impl_->tasks.size(), Progress::waiting);
  if (!has_begun()) return all;
  impl_->output->take();
  const std::vector<host_protocol::EntryHead> ended = impl_->reported_jobs();
  const std::uint32_t current = impl_->output->text().current_job();
  if (ended.empty() && current == host_protocol::no_job) {
    all.assign(all.size(), Progress::running);
    return all;
  }
  if (current < all.size()) all[current] = Progress::running;
  for (const host_protocol::EntryHead& each : ended) all[each.job] = Progress::ended;
  return all;
}

std::vector<TaskReport> Subset::reports(bool independent) {
  const std::vector<Progress> all = progress();
  std::vector<TaskReport> reports(all.size());
  std::optional<Timestamp> before;  // when the last one ended, or the process began
  if (impl_->pid != 0) before = impl_->begun;
  for (const host_protocol::EntryHead& each : impl_->reported_jobs()) {
    TaskReport& report = reports[each.job];
    if (!report.ended) report.begun = before;
    before = report.ended = Timestamp(std::chrono::microseconds(each.microseconds));
    report.exit_code = each.exit_code;
    report.counts = independent;
  }
  std::vector<TaskReport> begun;
  for (std::size_t i = 0; i < all.size(); ++i) {
    // One that waits and is flagged in the ledger does not begin.
    const bool never =
        independent && all[i] == Progress::waiting && impl_->cancelled.contains(impl_->tasks[i]);
    if (all[i] == Progress::waiting && !never) continue;
    reports[i].cancelled = never;
    if (all[i] == Progress::running) reports[i].begun = before;
    reports[i].id = impl_->tasks[i]->id;
    begun.push_back(std::move(reports[i]));
  }
  return begun;
}

std::optional<WrittenSoFar> Subset::written(const std::string& id) {
  const auto found = std::ranges::find(impl_->tasks, id, [](const Task* task) { return task->id; });
  if (found == impl_->tasks.end()) return std::nullopt;
  const auto job = static_cast<std::size_t>(found - impl_->tasks.begin());
  impl_->output->take();
  impl_->error->take();
  return WrittenSoFar{.output = impl_->output->text().of_job(job).text(),
                      .error = impl_->error->text().of_job(job).text()};
}

void Subset::cancel(const Task& task) {
  impl_->cancelled.insert(&task);
  const auto index = static_cast<std::size_t>(std::ranges::find(impl_->tasks, &task) - impl_->tasks.begin());
  const char flag = host_protocol::not_to_begin;
  // A memory file takes what lies within it.
  [[maybe_unused]] const ssize_t written =
      ::pwrite(impl_->ledger.get(), &flag, sizeof flag, static_cast<off_t>(impl_->places[index]));
}

void Subset::fail_with_cancelled(const Task& task) { impl_->failed_with.insert(&task); }

std::vector<Task*> Subset::finish(const SubsetEnd& end, bool independent) {
  impl_->output->finish();
  impl_->error->finish();
  const Impl::Account account = impl_->read_account();
  const bool cut_short = end.how == SubsetEnd::How::interrupted;
  const bool good = (end.how == SubsetEnd::How::ended || cut_short) && end.status.success() &&
                    account.returned && account.clean;
  const std::string cause = good ? "" : impl_->cause(end, account);
  const std::uint32_t current = impl_->output->text().current_job();

  const bool for_cancelled = !good && impl_->ended_for_cancelled(end, current);

  std::vector<Task*> again;
  for (std::size_t i = 0; i < impl_->tasks.size(); ++i) {
    Task& task = *impl_->tasks[i];
    const bool ended = task.result.has_value();
    if (!good && !(ended && independent) && impl_->cancelled.contains(&task)) {
      const bool begun =
          end.cause == "cancelled" && (ended || i == current || current == host_protocol::no_job);
      if (!ended) impl_->begin_result(i);
      impl_->take_captured(i, *task.result);
      task.cancel(begun ? "The task was cancelled while it ran: its process (pid " +
                              std::to_string(impl_->pid) + ") was ended."
                        : "The task was cancelled before it had begun.");
      task.result->finished = now();
      continue;
    }
    if (for_cancelled && !(ended && independent) && !impl_->failed_with.contains(&task)) {
      task.result.reset();
      again.push_back(&task);
      continue;
    }
    if (!good && cut_short && !(ended && independent)) {
      task.result.reset();
      again.push_back(&task);
      continue;
    }
    if (!good && independent && !ended && current != host_protocol::no_job && current != i) {
      again.push_back(&task);
      continue;
    }
    if (!ended) impl_->begin_result(i);
    TaskResult& result = *task.result;
    if (!result.finished) result.finished = now();
    impl_->take_captured(i, result);
    if (good ? ended : (ended && independent)) {
      if (result.exit_code != 0) add_sentence(result.error, limit_remark(impl_->limits, result));
      continue;
    }

    result.exit_code = good ? 1 : exit_code_of_unfinished(end.status);
    result.finished = now();
    if (good) {
      add_sentence(result.error, "The script ended without a result for this task.");
    } else {
      add_sentence(result.error, cause);
      if (!for_cancelled) result.ended_by = end.cause;
      if (ended) {
        add_sentence(
            result.error,
            "The task itself had ended, but what a process did counts only when its script is done.");
      } else if (i == current && !result.process_error.empty()) {
        add_sentence(result.error,
                     "The last it wrote to its stderr: " + tail(result.process_error, last_words));
      }
      if (end.ended_by_us.empty()) add_sentence(result.error, limit_remark(impl_->limits, result));
    }
  }
  return again;
}

const std::vector<std::string>& Subset::metrics() const { return impl_->metrics; }

std::string Subset::text_outside_jobs() const {
  return impl_->output->text().outside() + impl_->error->text().outside();
}

}  // namespace quire
