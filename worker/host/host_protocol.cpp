// One room although it is long: what one side of the protocol writes and what the other reads stand together,
// so that a change of the one is made beside the other.
#include "worker/host/host_protocol.hpp"

#include <charconv>
#include <cstring>

namespace quire::host_protocol {

namespace {

// ---- control messages: words separated by one space ----

// Takes the next word off the front of a packet.
std::string_view next_word(std::string_view& packet) {
  const std::size_t end = packet.find(' ');
  const std::string_view word = packet.substr(0, end);
  packet.remove_prefix(end == std::string_view::npos ? packet.size() : end + 1);
  return word;
}

template <typename Number>
bool read_number(std::string_view word, Number& value) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  return error == std::errc() && end == word.data() + word.size();
}

// Reads "name=NUMBER".
template <typename Number>
bool read_field(std::string_view word, std::string_view name, Number& value) {
  return word.size() > name.size() && word.starts_with(name) && word[name.size()] == '=' &&
         read_number(word.substr(name.size() + 1), value);
}

std::optional<Ready> read_ready(std::string_view packet) {
  Ready ready;
  int independent = 0;
  int fresh = 0;
  if (!read_field(next_word(packet), "interface", ready.interface) ||
      !read_field(next_word(packet), "concurrent_instances", ready.concurrent_instances) ||
      !read_field(next_word(packet), "independent", independent) ||
      !read_field(next_word(packet), "fresh", fresh) || (fresh == 0 && !packet.empty())) {
    return std::nullopt;
  }
  ready.unsafe = packet;
  ready.independent = independent != 0;
  ready.fresh = fresh != 0;
  return ready;
}

// ---- the ledger: length-prefixed frames ----

template <typename Integer>
void append_integer(std::string& to, Integer value) {
  char bytes[sizeof value];
  for (std::size_t i = 0; i < sizeof value; ++i) bytes[i] = static_cast<char>(value >> (8 * i));
  to.append(bytes, sizeof value);
}

void append_string(std::string& to, std::string_view text) {
  append_integer(to, static_cast<std::uint32_t>(text.size()));
  to += text;
}

// A frame under construction: its length is put in when it goes out of scope.
class Frame {
 public:
  Frame(std::string& to, char kind) : to_(to), begin_(to.size()) {
    append_integer(to_, std::uint32_t{0});
    to_ += kind;
  }
  ~Frame() {
    const auto length = static_cast<std::uint32_t>(to_.size() - begin_ - sizeof(std::uint32_t));
    for (std::size_t i = 0; i < sizeof length; ++i) to_[begin_ + i] = static_cast<char>(length >> (8 * i));
  }
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;

 private:
  std::string& to_;
  std::size_t begin_;
};

// Reads the pieces of a text one after the other; once a piece is not there, ok() is false for good.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool ok() const { return ok_; }
  bool at_end() const { return text_.empty(); }

  std::string_view bytes(std::size_t count) {
    if (count > text_.size()) {
      ok_ = false;
      text_ = {};
      return {};
    }
    const std::string_view taken = text_.substr(0, count);
    text_.remove_prefix(count);
    return taken;
  }
  template <typename Integer>
  Integer integer() {
    const std::string_view taken = bytes(sizeof(Integer));
    std::make_unsigned_t<Integer> value = 0;
    for (std::size_t i = 0; i < taken.size(); ++i) {
      value |= static_cast<std::make_unsigned_t<Integer>>(static_cast<unsigned char>(taken[i])) << (8 * i);
    }
    return static_cast<Integer>(value);
  }
  std::string_view string() { return bytes(integer<std::uint32_t>()); }

 private:
  std::string_view text_;
  bool ok_ = true;
};

std::optional<LedgerEntry> read_entry(std::string_view frame) {
  Reader reader(frame);
  LedgerEntry entry;
  entry.kind = static_cast<char>(reader.integer<std::uint8_t>());
  switch (entry.kind) {
    case 'E':
      entry.job = reader.integer<std::uint32_t>();
      entry.exit_code = reader.integer<std::int64_t>();
      entry.microseconds = reader.integer<std::int64_t>();
      entry.output = reader.string();
      entry.error = reader.string();
      break;
    case 'P':
      entry.job = reader.integer<std::uint32_t>();
      entry.output = reader.string();
      entry.error = reader.string();
      break;
    case 'R':
      break;
    case 'X':
    case 'M':
      entry.text = reader.string();
      break;
    default:
      return std::nullopt;
  }
  if (!reader.ok() || !reader.at_end()) return std::nullopt;
  return entry;
}

std::optional<LedgerJob> read_job(std::string_view frame) {
  Reader reader(frame);
  LedgerJob job;
  if (reader.integer<std::uint8_t>() != 'J') return std::nullopt;
  job.capture_output = reader.integer<std::uint8_t>() != 0;
  job.uuid = reader.string();
  for (auto left = reader.integer<std::uint32_t>(); left > 0 && reader.ok(); --left) {
    job.arguments.emplace_back(reader.string());
  }
  if (!reader.ok() || !reader.at_end()) return std::nullopt;
  return job;
}

}  // namespace

std::string encode(const HostMessage& message) {
  const std::string subset = std::to_string(message.subset);
  switch (message.kind) {
    case HostMessage::Kind::ready:
      return "ready interface=" + std::to_string(message.ready.interface) +
             " concurrent_instances=" + std::to_string(message.ready.concurrent_instances) +
             " independent=" + (message.ready.independent ? "1" : "0") +
             " fresh=" + (message.ready.fresh ? "1" : "0") +
             (message.ready.unsafe.empty() ? "" : " " + message.ready.unsafe);
    case HostMessage::Kind::metric:
      return "metric " + message.text;
    case HostMessage::Kind::failed:
      return "failed " + message.text;
    case HostMessage::Kind::started:
      return "started " + subset + " " + std::to_string(message.pid);
    case HostMessage::Kind::refused:
      return "refused " + subset + " " + message.text;
    case HostMessage::Kind::ended:
      return "ended " + subset + (message.by_signal ? " signalled " : " exited ") +
             std::to_string(message.number);
  }
  return {};
}

std::string encode(const WorkerMessage& message) {
  const std::string subset = std::to_string(message.subset);
  switch (message.kind) {
    case WorkerMessage::Kind::call:
      return "call " + subset;
    case WorkerMessage::Kind::run:
      return "run " + subset;
    case WorkerMessage::Kind::signal:
      return "signal " + subset + " " + std::to_string(message.signal);
  }
  return {};
}

std::optional<HostMessage> decode_host_message(std::string_view packet) {
  HostMessage message;
  const std::string_view kind = next_word(packet);
  if (kind == "ready") {
    message.kind = HostMessage::Kind::ready;
    const std::optional<Ready> ready = read_ready(packet);
    if (!ready) return std::nullopt;
    message.ready = *ready;
    return message;
  }
  if (kind == "failed" || kind == "metric") {
    message.kind = kind == "failed" ? HostMessage::Kind::failed : HostMessage::Kind::metric;
    message.text = packet;
    return message;
  }
  if (!read_number(next_word(packet), message.subset)) return std::nullopt;
  if (kind == "started") {
    message.kind = HostMessage::Kind::started;
    return read_number(packet, message.pid) ? std::optional(message) : std::nullopt;
  }
  if (kind == "refused") {
    message.kind = HostMessage::Kind::refused;
    message.text = packet;
    return message;
  }
  if (kind == "ended") {
    message.kind = HostMessage::Kind::ended;
    const std::string_view how = next_word(packet);
    if (how != "exited" && how != "signalled") return std::nullopt;
    message.by_signal = how == "signalled";
    return read_number(packet, message.number) ? std::optional(message) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<WorkerMessage> decode_worker_message(std::string_view packet) {
  WorkerMessage message;
  const std::string_view kind = next_word(packet);
  if (!read_number(next_word(packet), message.subset)) return std::nullopt;
  if (kind == "call" || kind == "run") {
    message.kind = kind == "call" ? WorkerMessage::Kind::call : WorkerMessage::Kind::run;
    return packet.empty() ? std::optional(message) : std::nullopt;
  }
  message.kind = WorkerMessage::Kind::signal;
  return kind == "signal" && read_number(packet, message.signal) ? std::optional(message) : std::nullopt;
}

void append_call(std::string& ledger, const Nonce& nonce, const SubsetLimits& limits,
                 std::string_view function, std::uint32_t jobs) {
  const Frame frame(ledger, 'C');
  ledger.append(nonce.data(), nonce.size());
  append_integer(ledger, limits.memory);
  append_integer(ledger, limits.open_files);
  append_integer(ledger, limits.output);
  append_string(ledger, function);
  append_integer(ledger, jobs);
}

std::size_t append_job(std::string& ledger, bool capture_output, std::string_view uuid,
                       const std::vector<std::string>& arguments) {
  const Frame frame(ledger, 'J');
  const std::size_t place = ledger.size();
  append_integer(ledger, static_cast<std::uint8_t>(capture_output));
  append_string(ledger, uuid);
  append_integer(ledger, static_cast<std::uint32_t>(arguments.size()));
  for (const std::string& argument : arguments) append_string(ledger, argument);
  return place;
}

void append_ended(std::string& ledger, std::uint32_t job, std::int64_t exit_code, std::int64_t microseconds,
                  std::string_view output, std::string_view error) {
  const Frame frame(ledger, 'E');
  append_integer(ledger, job);
  append_integer(ledger, exit_code);
  append_integer(ledger, microseconds);
  append_string(ledger, output);
  append_string(ledger, error);
}

void append_returned(std::string& ledger) { const Frame frame(ledger, 'R'); }

void append_escaped(std::string& ledger, std::string_view text) {
  const Frame frame(ledger, 'X');
  append_string(ledger, text);
}

void append_metric(std::string& ledger, std::string_view sample) {
  const Frame frame(ledger, 'M');
  append_string(ledger, sample);
}

std::optional<LedgerHead> decode_head(std::string_view ledger, std::size_t& size) {
  Reader reader(ledger);
  const std::string_view first = reader.string();
  Reader call(first);
  LedgerHead head;
  if (call.integer<std::uint8_t>() != 'C') return std::nullopt;
  const std::string_view nonce = call.bytes(head.nonce.size());
  head.limits.memory = call.integer<std::uint64_t>();
  head.limits.open_files = call.integer<std::uint32_t>();
  head.limits.output = call.integer<std::uint64_t>();
  head.function = call.string();
  const auto count = call.integer<std::uint32_t>();
  if (!call.ok() || !call.at_end()) return std::nullopt;
  std::memcpy(head.nonce.data(), nonce.data(), head.nonce.size());
  size = sizeof(std::uint32_t) + first.size();
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::string_view frame = reader.string();
    std::optional<LedgerJob> job = read_job(frame);
    if (!job) return std::nullopt;
    job->place = size + sizeof(std::uint32_t) + 1;
    head.jobs.push_back(std::move(*job));
    size += sizeof(std::uint32_t) + frame.size();
  }
  return head;
}

std::vector<LedgerEntry> decode_entries(std::string_view ledger, bool& clean) {
  std::vector<LedgerEntry> entries;
  Reader reader(ledger);
  clean = true;
  while (!reader.at_end()) {
    const std::string_view frame = reader.string();
    if (reader.ok() && frame.empty()) break;
    std::optional<LedgerEntry> entry;
    if (reader.ok()) entry = read_entry(frame);
    if (!entry) {
      clean = false;
      break;
    }
    entries.push_back(std::move(*entry));
  }
  return entries;
}

std::optional<EntryHead> decode_entry_head(std::string_view bytes) {
  Reader reader(bytes);
  EntryHead head;
  const auto length = reader.integer<std::uint32_t>();
  if (length == 0) return std::nullopt;
  head.size = sizeof length + length;
  head.kind = static_cast<char>(reader.integer<std::uint8_t>());
  if (head.kind == 'E') {
    head.job = reader.integer<std::uint32_t>();
    head.exit_code = reader.integer<std::int64_t>();
    head.microseconds = reader.integer<std::int64_t>();
  }
  if (!reader.ok()) return std::nullopt;
  return head;
}

std::string encode_marker(const Nonce& nonce, std::uint32_t job) {
  std::string marker(nonce.data(), nonce.size());
  append_integer(marker, job);
  return marker;
}

}  // namespace quire::host_protocol
