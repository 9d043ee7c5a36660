#include "worker/host/subset_process.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "common/bounded_text.hpp"

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

std::string read_ledger(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) leave(cannot_report);
  std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t got =
        ::pread(descriptor, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) leave(cannot_report);
    done += static_cast<std::size_t>(got);
  }
  return bytes;
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
      : module_(module), ledger_(ledger), output_(output), error_(error) {
    const std::string bytes = read_ledger(ledger_);
    std::size_t size = 0;
    std::optional<LedgerHead> head = host_protocol::decode_head(bytes, size);
    if (!head) leave(cannot_report);
    nonce_ = head->nonce;
    limits_ = head->limits;
    jobs_.reserve(head->jobs.size());
    for (host_protocol::LedgerJob& job : head->jobs) {
      places_.push_back(job.place);
      jobs_.emplace_back(head->function, std::move(job.uuid), std::move(job.arguments), job.capture_output);
      JobAccess::watch(jobs_.back(), *this);
    }
    reported_.resize(jobs_.size());
    // What the worker writes there later is seen here.
    head_ = static_cast<const char*>(::mmap(nullptr, size, PROT_READ, MAP_SHARED, ledger_, 0));
    if (head_ == MAP_FAILED) leave(cannot_report);
  }

  [[noreturn]] void run() {
    impose(limits_);
    try {
      module_.call(jobs_, limits_);
    } catch (const std::exception& error) {
      escaped(std::string("The script threw an exception out of call(): ") + error.what());
    } catch (...) {
      escaped("The script threw something that is not a std::exception out of call().");
    }
    // Not every script opens scopes, and one may go back to a job whose scope has closed.
    frames_.clear();
    for (const Job& job : jobs_) {
      if (reported_[index_of(job)] != state_of(job)) append_ended(job);
    }
    host_protocol::append_returned(frames_);
    flush_script_output();
    write_all(ledger_, frames_);
    leave(0);
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
    frames_.clear();
    append_ended(job);
    write_all(ledger_, frames_);
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

  void append_ended(const Job& job) {
    const auto append = [&](std::string_view output, std::string_view error) {
      host_protocol::append_ended(frames_, static_cast<std::uint32_t>(index_of(job)), job.int_code(),
                                  microseconds_now(), output, error);
    };
    if (limits_.output == 0 || std::max(job.output().size(), job.error().size()) <= limits_.output) {
      append(job.output(), job.error());
    } else {
      append_bounded(job, append);
    }
    reported_[index_of(job)] = state_of(job);
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
    frames_.clear();
    host_protocol::append_escaped(frames_, text);
    flush_script_output();
    write_all(ledger_, frames_);
    leave(1);
  }

  // A script may write through stdio or iostreams; what is still in their buffers belongs before the marker.
  static void flush_script_output() {
    std::fflush(nullptr);
    std::cout.flush();
    std::clog.flush();
  }

  void mark(std::uint32_t job) {
    const std::string marker = host_protocol::encode_marker(nonce_, job);
    write_all(output_, marker);
    write_all(error_, marker);
  }

  const HostedModule& module_;
  const int ledger_;
  const int output_;
  const int error_;
  host_protocol::Nonce nonce_{};
  host_protocol::SubsetLimits limits_;
  std::vector<Job> jobs_;
  std::vector<std::size_t> places_;  // of the jobs' first bytes in the ledger
  const char* head_ = nullptr;
  std::vector<State> reported_;
  std::string frames_;
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
