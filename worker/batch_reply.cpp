// The JSON of the wire on its way out, and the reply as whoever submitted the batch reads it.

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serializer.hpp>
#include <boost/json/value.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

#include "common/exit_status.hpp"
#include "common/text.hpp"
#include "worker/batch.hpp"

namespace quire {

namespace {

namespace json = boost::json;

// Writes strings into a JSON text. The rest of a message has a fixed shape and is written where it is known.
class StringWriter {
 public:
  explicit StringWriter(std::string& to) : to_(to) {}

  // In quotes and escaped. Bytes that are not UTF-8 become U+FFFD.
  void write(std::string_view bytes) {
    if (!is_utf8(bytes)) return write(to_utf8(bytes));
    if (std::ranges::none_of(bytes, needs_escape)) {
      to_.append(1, '"').append(bytes).append(1, '"');
      return;
    }
    serializer_.reset(json::string_view(bytes));
    char buffer[4096];
    while (!serializer_.done()) to_.append(serializer_.read(buffer));
  }

 private:
  static bool needs_escape(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; }

  std::string& to_;
  json::serializer serializer_;
};

[[noreturn]] void refuse_reply(const std::string& reason) {
  throw std::runtime_error("The reply cannot be read: " + reason + ".");
}

TaskResult read_result(std::string_view id, const json::value& value) {
  const std::string where = "the result of task " + std::string(id);
  const json::object* const fields = value.if_object();
  if (fields == nullptr) refuse_reply(where + " is not an object");

  TaskResult result;
  const json::value* const code = fields->if_contains("exitCode");
  if (code == nullptr || !code->is_int64()) refuse_reply("the \"exitCode\" in " + where + " is not a number");
  result.exit_code = code->get_int64();

  if (const json::value* const finished = fields->if_contains("finishedTimestamp");
      finished && !finished->is_null()) {
    if (finished->is_string()) result.finished = parse_rfc3339(finished->get_string());
    if (!result.finished)
      refuse_reply("the \"finishedTimestamp\" in " + where + " is neither a time nor null");
  }

  const auto read_text = [&](const char* name) {
    const json::value* const text = fields->if_contains(name);
    if (text == nullptr) return std::string();
    if (!text->is_string())
      refuse_reply("the \"" + std::string(name) + "\" in " + where + " is not a string");
    return std::string(text->get_string());
  };
  result.output = read_text("stdout");
  // Workers that are not ours may know the second name only.
  result.error = read_text(fields->contains("stderr") ? "stderr" : "stderror");
  return result;
}

}  // namespace

std::string encode_reply(const Batch& batch) {
  constexpr std::size_t names_and_numbers = 160;
  std::size_t size = 0;
  for (const Task& task : batch.tasks) {
    size += names_and_numbers + task.id.size();
    if (task.wants_output) size += task.result->output.size() + 2 * task.result->error.size();
  }

  std::string reply;
  reply.reserve(size);
  StringWriter strings(reply);
  reply += R"({"task_results":{)";
  for (const Task& task : batch.tasks) {
    const TaskResult& result = *task.result;
    if (&task != &batch.tasks.front()) reply += ',';
    strings.write(task.id);
    reply.append(R"(:{"exitCode":)").append(std::to_string(wire_exit_code(result.exit_code)));
    reply += R"(,"finishedTimestamp":)";
    if (result.finished) {
      reply.append(1, '"').append(iso8601(*result.finished)).append(1, '"');
    } else {
      reply += "null";
    }
    if (task.wants_output) {
      reply += R"(,"stdout":)";
      strings.write(result.output);
      reply += R"(,"stderr":)";
      const std::size_t begin = reply.size();
      strings.write(result.error);
      const std::size_t length = reply.size() - begin;
      reply += R"(,"stderror":)";
      reply.append(reply, begin, length);
    }
    reply += '}';
  }
  return reply += "}}";
}

std::string encode_workload(const std::vector<Task>& tasks) {
  std::vector<const Task*> pointers;
  pointers.reserve(tasks.size());
  for (const Task& task : tasks) pointers.push_back(&task);
  return encode_workload(pointers);
}

std::string encode_workload(const std::vector<const Task*>& tasks) {
  std::string workload;
  StringWriter strings(workload);
  workload += R"({"tasks":{)";
  for (const Task* const pointer : tasks) {
    const Task& task = *pointer;
    if (pointer != tasks.front()) workload += ',';
    strings.write(task.id);
    workload += R"(:{"uuid":)";
    strings.write(task.id);
    if (!task.created_date.empty()) {
      workload += R"(,"createdDate":)";
      strings.write(task.created_date);
    }
    workload += R"(,"arguments":)";
    strings.write(task.arguments);
    workload.append(R"(,"wants_output":)").append(task.wants_output ? "true}" : "false}");
  }
  return workload += "}}";
}

std::vector<ReplyEntry> decode_reply(std::string_view reply) {
  json::error_code error;
  const json::value document = json::parse(json::string_view(reply), error);
  if (error) refuse_reply("it is not JSON in UTF-8 (" + error.message() + ")");
  const json::object* const root = document.if_object();
  const json::value* const results = root != nullptr ? root->if_contains("task_results") : nullptr;
  if (results == nullptr || !results->is_object()) refuse_reply("it has no \"task_results\"");

  std::vector<ReplyEntry> entries;
  entries.reserve(results->get_object().size());
  for (const json::key_value_pair& entry : results->get_object()) {
    entries.push_back({std::string(entry.key()), read_result(std::string_view(entry.key()), entry.value())});
  }
  return entries;
}

}  // namespace quire
