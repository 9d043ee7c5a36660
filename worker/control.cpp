#include "worker/control.hpp"

#include <algorithm>
#include <array>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>

#include "common/text.hpp"

namespace quire {
namespace {

namespace json = boost::json;

constexpr std::array kinds = {"kept", "ending", "shared", "too late", "unknown"};

json::array array_of(const std::vector<std::string>& texts) {
  json::array array;
  array.reserve(texts.size());
  for (const std::string& text : texts) array.emplace_back(to_utf8(text));
  return array;
}

json::object object_of(const HostStatus& host) {
  return {{"module", to_utf8(host.module)},
          {"pid", host.pid},
          {"state", host.state},
          {"running", host.running},
          {"served", host.served}};
}
json::object object_of(const SubsetStatus& subset) {
  return {{"handle", to_utf8(subset.handle)},
          {"function", to_utf8(subset.function)},
          {"pid", subset.pid},
          {"age", subset.age.count()},
          {"running", array_of(subset.running)},
          {"ended", array_of(subset.ended)},
          {"waiting", array_of(subset.waiting)}};
}
json::object object_of(const BatchStatus& batch) {
  return {{"server", batch.server},
          {"handle", to_utf8(batch.handle)},
          {"function", to_utf8(batch.function)},
          {"age", batch.age.count()},
          {"tasks", batch.tasks},
          {"begun", batch.begun},
          {"ended", batch.ended},
          {"waits_for_host", batch.waits_for_host},
          {"waiting", array_of(batch.waiting)}};
}
json::value time_or_null(const std::optional<Timestamp>& time) {
  return time ? json::value(iso8601(*time)) : json::value(nullptr);
}
json::object object_of(const TaskReport& report) {
  return {{"task", to_utf8(report.id)},
          {"begun", time_or_null(report.begun)},
          {"ended", time_or_null(report.ended)},
          {"exit_code", report.exit_code},
          {"counts", report.counts},
          {"cancelled", report.cancelled}};
}
json::object object_of(const JobServerStatus& server) {
  return {{"name", server.name}, {"connected", server.connected}, {"in_hand", server.in_hand}};
}
template <typename Value>
json::array array_of(const std::vector<Value>& values) {
  json::array array;
  for (const Value& value : values) array.emplace_back(object_of(value));
  return array;
}

json::object object_of(const WorkerStatus& status) {
  json::object settings;
  for (const auto& [name, value] : status.settings) settings[name] = to_utf8(value);
  return {{"client", to_utf8(status.client)},
          {"pid", status.pid},
          {"version", status.version},
          {"started", iso8601(status.started)},
          {"stopping", status.stopping},
          {"short_of_resources", status.short_of_resources},
          {"slots", status.slots},
          {"max_processes", status.max_processes},
          {"settings", std::move(settings)},
          {"functions", array_of(status.functions)},
          {"record_healthy", status.record_healthy},
          {"record_problem", to_utf8(status.record_problem)},
          {"record_waiting", status.record_waiting},
          {"results_owed", status.results_owed},
          {"owed", status.owed},
          {"servers", array_of(status.servers)},
          {"batches", array_of(status.batches)},
          {"subsets", array_of(status.subsets)},
          {"hosts", array_of(status.hosts)},
          {"reports", array_of(status.reports)}};
}

json::object error_of(const std::string& sentence) { return {{"error", to_utf8(sentence)}}; }

std::string ending(const std::string& text) {
  constexpr std::size_t longest = 64 * 1024;
  return to_utf8(std::string_view(text).substr(text.size() - std::min(text.size(), longest)));
}

json::object answer(WorkerControl& control, const json::object& question) {
  const json::value* const request = question.if_contains("request");
  const std::string name =
      request != nullptr && request->is_string() ? json::value_to<std::string>(*request) : "";
  if (name == "status") return object_of(control.snapshot());
  if (name == "written") {
    const auto written = control.written(json::value_to<std::string>(question.at("task")));
    if (!written) return {{"found", false}};
    return {{"found", true}, {"stdout", ending(written->output)}, {"stderr", ending(written->error)}};
  }
  if (name == "cancel") {
    const json::value* const subset = question.if_contains("subset");
    const auto ids = json::value_to<std::vector<std::string>>(question.at("tasks"));
    json::array tasks;
    for (const Cancellation& each : control.cancel(ids, subset != nullptr && subset->as_bool())) {
      tasks.push_back(json::object{
          {"id", to_utf8(each.id)}, {"outcome", name_of(each.kind)}, {"shares", array_of(each.shares)}});
    }
    return {{"tasks", std::move(tasks)}};
  }
  return error_of("There is no request \"" + name + "\"; there are status, written and cancel.");
}

// ---- the client's side ----

using Texts = std::vector<std::string>;

template <typename Value>
Value get(const json::object& object, const char* name) {
  return json::value_to<Value>(object.at(name));
}

template <typename Value, typename Read>
std::vector<Value> list_of(const json::object& object, const char* name, Read read) {
  std::vector<Value> values;
  for (const json::value& each : object.at(name).as_array()) values.push_back(read(each.as_object()));
  return values;
}

HostStatus read_host(const json::object& host) {
  return {.module = get<std::string>(host, "module"),
          .pid = get<int>(host, "pid"),
          .state = get<std::string>(host, "state"),
          .running = get<std::size_t>(host, "running"),
          .served = get<std::size_t>(host, "served")};
}
SubsetStatus read_subset(const json::object& subset) {
  return {.handle = get<std::string>(subset, "handle"),
          .function = get<std::string>(subset, "function"),
          .pid = get<int>(subset, "pid"),
          .age = Seconds(get<double>(subset, "age")),
          .running = get<Texts>(subset, "running"),
          .ended = get<Texts>(subset, "ended"),
          .waiting = get<Texts>(subset, "waiting")};
}
BatchStatus read_batch(const json::object& batch) {
  return {.server = get<std::string>(batch, "server"),
          .handle = get<std::string>(batch, "handle"),
          .function = get<std::string>(batch, "function"),
          .age = Seconds(get<double>(batch, "age")),
          .tasks = get<std::size_t>(batch, "tasks"),
          .begun = get<std::size_t>(batch, "begun"),
          .ended = get<std::size_t>(batch, "ended"),
          .waits_for_host = get<bool>(batch, "waits_for_host"),
          .waiting = get<Texts>(batch, "waiting")};
}
std::optional<Timestamp> time_of(const json::value& time) {
  return time.is_string() ? parse_rfc3339(json::value_to<std::string>(time)) : std::nullopt;
}
TaskReport read_report(const json::object& report) {
  return {.id = get<std::string>(report, "task"),
          .begun = time_of(report.at("begun")),
          .ended = time_of(report.at("ended")),
          .exit_code = get<std::int64_t>(report, "exit_code"),
          .counts = get<bool>(report, "counts"),
          .cancelled = report.contains("cancelled") && get<bool>(report, "cancelled")};
}
JobServerStatus read_server(const json::object& server) {
  return {.name = get<std::string>(server, "name"),
          .connected = get<bool>(server, "connected"),
          .in_hand = get<std::size_t>(server, "in_hand")};
}

// Reads an answer; whatever is wrong with it is one sentence.
template <typename Read>
auto decode(std::string_view line, Read read) {
  json::object object;
  try {
    object = json::parse(json::string_view(line.data(), line.size())).as_object();
    if (!object.contains("error")) return read(object);
  } catch (const std::exception& error) {
    throw std::runtime_error(std::string("The worker's answer cannot be understood (") + error.what() +
                             "): it may be of another version than this command.");
  }
  throw std::runtime_error(get<std::string>(object, "error"));
}

}  // namespace

const char* name_of(Cancellation::Kind kind) { return kinds[static_cast<std::size_t>(kind)]; }

std::string answer_request(WorkerControl& control, std::string_view line) try {
  return json::serialize(
      answer(control, json::parse(json::string_view(line.data(), line.size())).as_object()));
} catch (const ControlUnavailable& error) {
  return json::serialize(error_of(error.what()));
} catch (const std::exception& error) {
  return json::serialize(error_of(std::string("The request cannot be understood: ") + error.what() + "."));
}

std::string status_request() { return R"({"request":"status"})"; }

std::string cancel_request(const std::vector<std::string>& ids, bool with_subset) {
  return json::serialize(
      json::object{{"request", "cancel"}, {"tasks", array_of(ids)}, {"subset", with_subset}});
}

std::string written_request(const std::string& id) {
  return json::serialize(json::object{{"request", "written"}, {"task", id}});
}

std::optional<WrittenSoFar> decode_written(std::string_view line) {
  return decode(line, [](const json::object& object) {
    std::optional<WrittenSoFar> written;
    if (get<bool>(object, "found"))
      written = {.output = get<std::string>(object, "stdout"), .error = get<std::string>(object, "stderr")};
    return written;
  });
}

WorkerStatus decode_status(std::string_view line) {
  return decode(line, [](const json::object& object) {
    WorkerStatus status;
    status.client = get<std::string>(object, "client");
    status.pid = get<int>(object, "pid");
    status.version = get<std::string>(object, "version");
    status.started = parse_rfc3339(get<std::string>(object, "started")).value();
    status.stopping = get<bool>(object, "stopping");
    status.short_of_resources = get<bool>(object, "short_of_resources");
    status.slots = get<std::size_t>(object, "slots");
    status.max_processes = get<std::size_t>(object, "max_processes");
    status.settings = get<std::map<std::string, std::string>>(object, "settings");
    status.functions = get<Texts>(object, "functions");
    status.record_healthy = get<bool>(object, "record_healthy");
    status.record_problem = get<std::string>(object, "record_problem");
    status.record_waiting = get<std::uint64_t>(object, "record_waiting");
    status.results_owed = get<std::uint64_t>(object, "results_owed");
    status.owed = get<std::string>(object, "owed");
    status.servers = list_of<JobServerStatus>(object, "servers", read_server);
    status.batches = list_of<BatchStatus>(object, "batches", read_batch);
    status.subsets = list_of<SubsetStatus>(object, "subsets", read_subset);
    status.hosts = list_of<HostStatus>(object, "hosts", read_host);
    // A worker of an earlier version has none.
    if (object.contains("reports")) status.reports = list_of<TaskReport>(object, "reports", read_report);
    return status;
  });
}

std::vector<Cancellation> decode_cancellations(std::string_view line) {
  return decode(line, [](const json::object& object) {
    return list_of<Cancellation>(object, "tasks", [](const json::object& task) {
      Cancellation each{.id = get<std::string>(task, "id"), .shares = get<Texts>(task, "shares")};
      const std::string outcome = get<std::string>(task, "outcome");
      for (std::size_t i = 0; i < kinds.size(); ++i) {
        if (outcome == kinds[i]) each.kind = static_cast<Cancellation::Kind>(i);
      }
      return each;
    });
  });
}

std::string encode_status(const WorkerStatus& status) { return json::serialize(object_of(status)); }

}  // namespace quire
