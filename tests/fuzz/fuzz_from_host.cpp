// What a host may send, or the process of a subset may leave behind: messages, ledger entries, captured text.
#include <algorithm>

#include "tests/fuzz/fuzz.hpp"
#include "worker/capture.hpp"
#include "worker/host/host_protocol.hpp"

using namespace quire;
using namespace quire::host_protocol;
using fuzz::check;

namespace {

void messages(std::string_view text) {
  const auto message = decode_host_message(text);
  if (!message) return;
  const auto again = decode_host_message(encode(*message));
  check(again && encode(*again) == encode(*message), "a message that does not come back");
}

void entries(std::string_view text) {
  bool clean = false;
  const std::vector<LedgerEntry> found = decode_entries(text, clean);
  std::string written;
  for (const LedgerEntry& entry : found) {
    if (entry.kind == 'E') {
      append_ended(written, entry.job, entry.exit_code, entry.microseconds, entry.output, entry.error);
    } else if (entry.kind == 'R') {
      append_returned(written);
    } else if (entry.kind == 'M') {
      append_metric(written, entry.text);
    } else {
      append_escaped(written, entry.text);
    }
  }
  check(text.starts_with(written), "entries that are written differently");
  const std::string_view rest = text.substr(written.size());
  constexpr std::string_view end_of_ledger("\0\0\0\0", 4);
  check(clean == (rest.empty() || rest.starts_with(end_of_ledger)), "clean, and not all was read");
}

// However a stream is cut into pieces, the texts are the same.
void captured(std::string_view text) {
  if (text.size() < sizeof(Nonce) + 1) return;
  Nonce nonce;
  std::copy_n(text.begin(), nonce.size(), nonce.begin());
  const std::size_t piece = 1 + static_cast<unsigned char>(text[nonce.size()]) % 32;
  text.remove_prefix(nonce.size() + 1);
  constexpr std::size_t jobs = 3;
  constexpr std::size_t limit = 64;
  CapturedText whole(nonce, jobs, limit);
  whole.feed(text);
  whole.finish();
  CapturedText pieces(nonce, jobs, limit);
  for (std::size_t at = 0; at < text.size(); at += piece) pieces.feed(text.substr(at, piece));
  pieces.finish();
  check(whole.current_job() == pieces.current_job(), "another job");
  check(whole.outside() == pieces.outside(), "another text outside");
  for (std::size_t job = 0; job < jobs; ++job) {
    check(whole.of_job(job).text() == pieces.of_job(job).text(), "another text of a job");
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  if (text.empty()) return 0;
  switch (text.front() % 3) {
    case 0:
      messages(text.substr(1));
      break;
    case 1:
      entries(text.substr(1));
      break;
    default:
      captured(text.substr(1));
  }
  return 0;
}
