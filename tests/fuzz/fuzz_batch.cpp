// A workload of any bytes is a batch or is refused; its reply has a result for every task, and reads back.
#include "common/text.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "worker/batch.hpp"

using namespace quire;
using fuzz::check;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const ArgumentSettings settings{"/shared/", "/scripts/", "/assets/"};
  const std::string workload(fuzz::text_of(data, size));
  Batch batch;
  try {
    batch = decode_batch(
        {.function = "Fuzz_v0.0", .handle = "H:fuzz:1", .unique = "u", .workload = workload, .server = "s:1"},
        settings);
  } catch (const UnreadableBatch&) {
    return 0;
  }
  check(!batch.tasks.empty(), "a batch without a task");
  // Each task does something of its own: the texts of a script are any bytes.
  std::size_t number = 0;
  for (Task* task : batch.unanswered()) {
    TaskResult& result = task->result.emplace();
    result.exit_code = static_cast<std::int64_t>(number++);
    result.output = task->arguments + '\0' + workload.substr(0, number % 64);
    for (const std::string& word : task->words) result.error += word + '\n';
    result.finished = now();
  }
  const std::string reply = encode_reply(batch);
  check(is_utf8(reply), "a reply that is not UTF-8");
  const std::vector<ReplyEntry> entries = decode_reply(reply);
  check(entries.size() == batch.tasks.size(), "a reply with more or less results than tasks");
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Task& task = batch.tasks[i];
    check(entries[i].id == to_utf8(task.id), "another id, or another order");
    check(entries[i].result.exit_code == task.result->exit_code, "another exit code");
    if (!task.wants_output) continue;
    check(entries[i].result.output == to_utf8(task.result->output), "another output");
    check(entries[i].result.error == to_utf8(task.result->error), "another error");
  }
  return 0;
}
