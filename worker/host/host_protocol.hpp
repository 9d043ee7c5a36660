// The host protocol: how the worker and a host speak, and how a subset reports. Native modules, Python
// modules and programs are three hosts behind it; quire_host.py is its Python side.
//
// A host is started with its control socket (AF_UNIX, SOCK_SEQPACKET) on descriptor 3. Each message is one
// packet of text, words separated by one space; numbers are decimal. Descriptor 4 may be one that the host
// and its subsets have to hold as long as they live, closed on exec: a lock by which others see that they do.
//
//   host → worker
//     ready interface=1 concurrent_instances=2 independent=0 fresh=0
//                                     the module is loaded; concurrent_instances=0: the script has none.
//                                     Behind fresh=1 there may be text, to the end of the packet: what the
//                                     host has seen that makes it unsafe to fork
//     metric SAMPLE                   before ready: something that the script counts (worker/script_metrics.hpp)
//     failed TEXT                     it cannot be loaded; TEXT (to the end of the packet) says why; the host
//     exits started SUBSET PID              a process runs the subset; it leads a process group of its own
//     refused SUBSET TEXT             no process could be started
//     ended SUBSET exited CODE        the subset's process ended so and has been reaped, and its whole
//     process ended SUBSET signalled SIGNAL   group has been killed
//
//   worker → host
//     call SUBSET                     run this subset in a fork; with SCM_RIGHTS: ledger, stdout pipe, stderr
//     pipe run SUBSET                      the same in this very process, for modules that must not be forked
//     signal SUBSET NUMBER            send a signal to the subset's process group, if it has not been reaped
//     (end of file)                   kill every subset and exit
//
// SUBSET is a number that the worker chose. A host runs many subsets at once.
//
// The ledger of a subset is a memory file: the worker has written the jobs at its head, the subset's process
// appends what becomes of them. Writing to it never blocks and needs nobody to read, and what has been
// written is there however the process ends. It is a row of frames; integers are little-endian:
//
//   frame   u32 length of what follows, u8 kind, body          string   u32 length, bytes
//           a length of 0 is the end, whatever follows it
//
//   'C' call      bytes[16] nonce, u64 memory limit, u32 open files limit, u64 output limit (bytes; 0: none),
//                 string function, u32 number of jobs                              written by the worker
//   'J' job       u8 capture_output, string uuid, u32 count, count strings: the arguments    (one per job)
//                 The worker may make the first byte a 2 later: the job is not to begin any more. A process
//                 that would open its scope ends instead, so this is for jobs that are independent of each
//                 other.
//   'E' ended     u32 job, i64 exit code, i64 microseconds since 1970, string output, string error
//                 written by the subset (a later one for the same job replaces it)
//   'P' partly    u32 job, string output, string error: what a job that has not ended had written through its
//                 methods when its process was asked to end (SIGTERM)
//   'R' returned  empty: call() has returned, every job has an 'E'
//   'X' escaped   string: what left call() instead, told for the stderr of the jobs
//   'M' metric    string: a sample that the script has counted (worker/script_metrics.hpp); behind 'R' or 'X'
//
// Descriptors 1 and 2 of a subset are pipes, drained by the worker. So that their text can be told apart by
// job, the subset's process writes a marker to both whenever a job's scope opens or closes:
//
//   marker  bytes[16] nonce, u32 job, or 0xFFFFFFFF where none is open
//
// The last marker also tells which job was being worked on when a process died. Where one scope opens right
// after another has closed, the marker of the closing may be left out.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace quire::host_protocol {

inline constexpr int control_descriptor = 3;
inline constexpr int held_descriptor = 4;
inline constexpr const char* bind_now = "LD_BIND_NOW=1";
inline constexpr std::uint32_t no_job = 0xFFFFFFFF;
using Nonce = std::array<char, 16>;

// ---- control messages ------------------------------------------------------------------------------------

struct Ready {
  int interface = 0;
  std::size_t concurrent_instances = 0;  // 0: the script has none
  bool independent = false;
  bool fresh = false;
  std::vector<std::string> metrics = {};  // what it counts: in messages of their own, before this one
  std::string unsafe = {};  // what makes it so, found out by the host; empty: the module says so itself
};

// What a host says. Fields that a kind does not have are left at their defaults.
struct HostMessage {
  enum class Kind { ready, metric, failed, started, refused, ended };
  Kind kind = Kind::failed;
  Ready ready;
  std::uint64_t subset = 0;
  int pid = 0;             // started
  bool by_signal = false;  // ended
  int number = 0;          // ended: exit code or signal
  std::string text = {};   // metric, failed, refused
};

// What the worker says; the descriptors of call and run travel beside it.
struct WorkerMessage {
  enum class Kind { call, run, signal };
  Kind kind = Kind::call;
  std::uint64_t subset = 0;
  int signal = 0;
};

std::string encode(const HostMessage& message);
std::string encode(const WorkerMessage& message);
// Nothing when the packet is not a message of this protocol.
std::optional<HostMessage> decode_host_message(std::string_view packet);
std::optional<WorkerMessage> decode_worker_message(std::string_view packet);

// ---- the ledger ------------------------------------------------------------------------------------------

inline constexpr char not_to_begin = 2;

struct LedgerJob {
  std::size_t place = 0;  // of its first byte in the ledger
  bool capture_output = true;
  std::string uuid;
  std::vector<std::string> arguments;
};

// What the process of a subset imposes upon itself; 0: no limit.
struct SubsetLimits {
  std::uint64_t memory = 0;  // bytes of address space, of each process
  std::uint32_t open_files = 0;
  std::uint64_t output = 0;  // bytes of each text of a job
  bool operator==(const SubsetLimits&) const = default;
};

struct LedgerHead {
  Nonce nonce{};
  SubsetLimits limits;
  std::string function;
  std::vector<LedgerJob> jobs;
};

struct LedgerEntry {
  char kind = 0;  // 'E', 'P', 'R', 'X' or 'M'
  std::uint32_t job = 0;
  std::int64_t exit_code = 0;
  std::int64_t microseconds = 0;
  std::string output;
  std::string error;
  std::string text;  // 'X', 'M'
};

// The head is built piece by piece, so that the worker need not copy its tasks into LedgerJobs.
void append_call(std::string& ledger, const Nonce& nonce, const SubsetLimits& limits,
                 std::string_view function, std::uint32_t jobs);
// Gives the place of the job's first byte.
std::size_t append_job(std::string& ledger, bool capture_output, std::string_view uuid,
                       const std::vector<std::string>& arguments);
void append_ended(std::string& ledger, std::uint32_t job, std::int64_t exit_code, std::int64_t microseconds,
                  std::string_view output, std::string_view error);
void append_returned(std::string& ledger);
void append_escaped(std::string& ledger, std::string_view text);
void append_metric(std::string& ledger, std::string_view sample);

// The head of a ledger, and in `size` its length. Nothing when it is not whole.
std::optional<LedgerHead> decode_head(std::string_view ledger, std::size_t& size);

// The entries after the head, in order. Stops at the first frame that is not whole or not of this protocol:
// the process may have died while it wrote, and what it wrote before stands; `clean` tells whether the text
// ended with a whole frame.
std::vector<LedgerEntry> decode_entries(std::string_view ledger, bool& clean);

// The head of an entry, for who does not want its texts: from so many bytes of it, or fewer at the end of a
// ledger.
inline constexpr std::size_t entry_head_size = 25;
struct EntryHead {
  std::size_t size = 0;  // of the whole frame
  char kind = 0;
  std::uint32_t job = 0;  // 'E', as the next two
  std::int64_t exit_code = 0;
  std::int64_t microseconds = 0;
};
// Nothing when the bytes are too few, or the ledger ends there.
std::optional<EntryHead> decode_entry_head(std::string_view bytes);

std::string encode_marker(const Nonce& nonce, std::uint32_t job);

}  // namespace quire::host_protocol
