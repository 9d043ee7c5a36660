// What the worker sends to a host, as a host reads it: messages and the head of a ledger.
#include "tests/fuzz/fuzz.hpp"
#include "worker/host/host_protocol.hpp"

using namespace quire;
using namespace quire::host_protocol;
using fuzz::check;

namespace {

void messages(std::string_view text) {
  const auto message = decode_worker_message(text);
  if (!message) return;
  const auto again = decode_worker_message(encode(*message));
  check(again && encode(*again) == encode(*message), "a message that does not come back");
}

void head(std::string_view text) {
  std::size_t size = 0;
  const auto found = decode_head(text, size);
  if (!found) return;
  std::string written;
  append_call(written, found->nonce, found->limits, found->function,
              static_cast<std::uint32_t>(found->jobs.size()));
  for (const LedgerJob& job : found->jobs) append_job(written, job.capture_output, job.uuid, job.arguments);
  check(size == written.size() && size <= text.size(), "another size");
  std::size_t size_again = 0;
  const auto again = decode_head(written, size_again);
  check(again && again->jobs.size() == found->jobs.size() && again->limits == found->limits,
        "it does not come back");
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  if (text.empty()) return 0;
  if (text.front() % 2 == 0) {
    messages(text.substr(1));
  } else {
    head(text.substr(1));
  }
  return 0;
}
