#include "worker/host/subset_process.hpp"

#include <fcntl.h>
#include <stdio_ext.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <optional>
#include <system_error>

#include "common/bounded_text.hpp"
#include "worker/host/ledger_writer.hpp"

namespace quire {

// Gives the process that runs a subset access to what a script does not see of a job.
class JobAccess {
 public:
  static void watch(Job& job, JobWatcher& watcher) { job.watcher_ = &watcher; }
};

namespace {

using host_protocol::LedgerHead;

// Where our own descriptors go: out of the way of a script that closes or counts the low ones.
constexpr int first_private_descriptor = 200;

static_assert(std::endian::native == std::endian::little, "a frame is written as integers are in memory");

// About how much larger a job is in memory than in the ledger.
constexpr std::size_t memory_per_byte = 10;

// The process could not report; the worker sees that call() has not returned.
constexpr int cannot_report = 74;

[[noreturn]] void leave(int code) { ::_exit(code); }

int move_away(Descriptor descriptor) {
  int moved = ::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, first_private_descriptor);
  // A low limit of open files leaves no room up there.
  if (moved < 0) moved = ::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, 3);
  if (moved < 0) leave(cannot_report);
  return moved;
}

void write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) leave(cannot_report);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

// The ledger as it is in memory; it stays mapped for as long as the process lives.
std::string_view map_ledger(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) leave(cannot_report);
  const auto size = static_cast<std::size_t>(status.st_size);
  const void* const bytes = ::mmap(nullptr, size, PROT_READ, MAP_SHARED | MAP_POPULATE, descriptor, 0);
  if (bytes == MAP_FAILED) leave(cannot_report);
  return {static_cast<const char*>(bytes), size};
}

// Has the pages given to us at once that the jobs are about to fill one after the other. A hint: where it
// cannot be done they come one by one.
void expect_memory(std::size_t bytes) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::unique_ptr<char[]> lowest(new char[1]);
  const auto end = reinterpret_cast<std::uintptr_t>(::sbrk(0));
  const auto begin = (reinterpret_cast<std::uintptr_t>(lowest.get()) + page) / page * page;
  if (begin >= end) return;
  ::madvise(reinterpret_cast<void*>(begin), std::min(bytes, end - begin) / page * page, MADV_POPULATE_WRITE);
}

std::int64_t microseconds_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

// Hard limits too, so that the script cannot raise them. What cannot be imposed is below the limit of this
// process already.
void impose(const host_protocol::SubsetLimits& limits) {
  const rlimit memory{limits.memory, limits.memory};
  if (limits.memory > 0) ::setrlimit(RLIMIT_AS, &memory);
  const rlimit files{limits.open_files, limits.open_files};
  if (limits.open_files > 0) ::setrlimit(RLIMIT_NOFILE, &files);
}

// Writes what becomes of the jobs to the ledger, and the markers that keep their captured text apart.
class Reporter final : public JobWatcher {
 public:
  Reporter(const HostedModule& module, int ledger, int output, int error)
      : module_(module), output_(output), error_(error) {
    const std::string_view bytes = map_ledger(ledger);
    expect_memory(bytes.size() * memory_per_byte);
    std::size_t size = 0;
    std::optional<LedgerHead> head = host_protocol::decode_head(bytes, size);
    if (!head) leave(cannot_report);
    ledger_.emplace(ledger, size);
    nonce_ = head->nonce;
    limits_ = head->limits;
    jobs_.reserve(head->jobs.size());
    for (host_protocol::LedgerJob& job : head->jobs) {
      places_.push_back(job.place);
      jobs_.emplace_back(head->function, std::move(job.uuid), std::move(job.arguments), job.capture_output);
      JobAccess::watch(jobs_.back(), *this);
    }
    reported_.resize(jobs_.size());
    head_ = bytes.data();  // what the worker writes there later is seen here
  }

  [[noreturn]] void run() {
    impose(limits_);
    save_texts_when_asked_to_end();
    try {
      module_.call(jobs_, limits_);
    } catch (const std::exception& error) {
      escaped(std::string("The script threw an exception out of call(): ") + error.what());
    } catch (...) {
      escaped("The script threw something that is not a std::exception out of call().");
    }
    // Not every script opens scopes, and one may go back to a job whose scope has closed.
    for (const Job& job : jobs_) {
      if (reported_[index_of(job)] != state_of(job)) report_ended(job);
    }
    std::fflush(nullptr);
    flush_script_output();
    report([](std::string& frame) { host_protocol::append_returned(frame); });
    leave(0);
  }

  // What a job has written so far would be gone with the process. A script that handles TERM itself is left
  // alone. The process then ends as it would have without this.
  void save_texts_when_asked_to_end() {
    to_be_saved = this;
    struct sigaction action {};
    action.sa_handler = [](int number) {
      if (to_be_saved->process_ == ::getpid()) to_be_saved->save_texts();
      ::raise(number);
    };
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
    struct sigaction before {};
    ::sigaction(SIGTERM, &action, &before);
    if (before.sa_handler != SIG_DFL) ::sigaction(SIGTERM, &before, nullptr);
  }

  void begun(Job& job) override {
    flush_script_output();
    mark(static_cast<std::uint32_t>(index_of(job)));
    // The marker tells the worker with which job the process has ended.
    if (*static_cast<const volatile char*>(head_ + places_[index_of(job)]) == host_protocol::not_to_begin) {
      leave(cannot_report);
    }
  }

  void ended(Job& job, bool another_follows) override {
    flush_script_output();
    if (!another_follows) mark(host_protocol::no_job);
    report_ended(job);
  }

 private:
  // What tells that a job has changed since it was reported: texts only grow.
  struct State {
    bool reported = false;
    std::int64_t code = 0;
    std::size_t output = 0;
    std::size_t error = 0;
    bool operator==(const State&) const = default;
  };
  static State state_of(const Job& job) {
    return {true, job.int_code(), job.output().size(), job.error().size()};
  }

  std::size_t index_of(const Job& job) const { return static_cast<std::size_t>(&job - jobs_.data()); }

  void report_ended(const Job& job) {
    const auto append = [&](std::string_view output, std::string_view error) {
      report([&](std::string& frame) {
        host_protocol::append_ended(frame, static_cast<std::uint32_t>(index_of(job)), job.int_code(),
                                    microseconds_now(), output, error);
      });
    };
    if (limits_.output == 0 || std::max(job.output().size(), job.error().size()) <= limits_.output) {
      append(job.output(), job.error());
    } else {
      append_bounded(job, append);
    }
    reported_[index_of(job)] = state_of(job);
  }

  // In a signal handler, perhaps while a job's text is being changed.
  void save_texts() noexcept {
    for (std::uint32_t index = 0; index < jobs_.size(); ++index) {
      const Job& job = jobs_[index];
      if (reported_[index].reported || (job.output().empty() && job.error().empty())) continue;
      char head[1 + 2 * sizeof(std::uint32_t)] = {'P'};
      const auto output = static_cast<std::uint32_t>(job.output().size());
      const auto error = static_cast<std::uint32_t>(job.error().size());
      std::memcpy(head + 1, &index, sizeof index);
      std::memcpy(head + 1 + sizeof index, &output, sizeof output);
      const std::array<std::string_view, 4> parts = {
          std::string_view(head, sizeof head), std::string_view(job.output().data(), output),
          std::string_view(reinterpret_cast<const char*>(&error), sizeof error),
          std::string_view(job.error().data(), error)};
      ledger_->append_from_handler(parts);
    }
  }

  template <typename Append>
  void append_bounded(const Job& job, const Append& append) {
    BoundedText output(limits_.output);
    output.append(job.output());
    BoundedText error(limits_.output);
    error.append(job.error());
    std::string errors = error.text();
    if (output.missing() > 0) {
      if (!errors.empty() && errors.back() != '\n') errors += '\n';
      errors += output_limit_remark("stdout", output.missing(), limits_.output) + '\n';
    }
    append(output.text(), errors);
  }

  [[noreturn]] void escaped(std::string_view text) {
    std::fflush(nullptr);
    flush_script_output();
    report([&](std::string& frame) { host_protocol::append_escaped(frame, text); });
    leave(1);
  }

  // `append` writes one frame.
  template <typename Append>
  void report(const Append& append) try {
    frame_.clear();
    append(frame_);
    ledger_->append(frame_);
  } catch (const std::system_error&) {
    leave(cannot_report);
  }

  // A script may write through stdio or iostreams; what is still in their buffers belongs before the marker.
  // Mostly there is nothing, and each function of theirs that is not called is a page that is not touched.
  static void flush_script_output() {
    if (::__fpending(stdout) > 0) std::fflush(stdout);
    if (::__fpending(stderr) > 0) std::fflush(stderr);
    if (std::ios_base::sync_with_stdio(true)) return;  // they have no buffers of their own
    std::cout.flush();
    std::clog.flush();
  }

  void mark(std::uint32_t job) {
    const std::string marker = host_protocol::encode_marker(nonce_, job);
    write_all(output_, marker);
    write_all(error_, marker);
  }

  const HostedModule& module_;
  std::optional<LedgerWriter> ledger_;
  const int output_;
  const int error_;
  host_protocol::Nonce nonce_{};
  host_protocol::SubsetLimits limits_;
  std::vector<Job> jobs_;
  std::vector<std::size_t> places_;  // of the jobs' first bytes in the ledger
  const char* head_ = nullptr;
  std::vector<State> reported_;
  std::string frame_;
  const pid_t process_ = ::getpid();  // a process that the script forks has a copy of all this
  static inline Reporter* to_be_saved = nullptr;
};

}  // namespace

void become_subset(const HostedModule& module, SubsetDescriptors descriptors, int parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) leave(cannot_report);  // it went before the line above
  // What descendants leave behind comes to this process, and with its end to the host, which ends it.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);

  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0 || ::dup2(null, 0) < 0 || ::dup2(descriptors.output.get(), 1) < 0 ||
      ::dup2(descriptors.error.get(), 2) < 0) {
    leave(cannot_report);
  }
  ::close(null);
  const int ledger = move_away(std::move(descriptors.ledger));
  const int output = move_away(std::move(descriptors.output));
  const int error = move_away(std::move(descriptors.error));

  ::signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);

  Reporter(module, ledger, output, error).run();
}

}  // namespace quire
