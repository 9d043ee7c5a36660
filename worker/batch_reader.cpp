#include "worker/batch_reader.hpp"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <cstdint>
#include <utility>

#include "common/text.hpp"
#include "common/timestamp.hpp"

namespace quire {

namespace {

namespace json = boost::json;

// A workload nests four levels; deeper values can only be in fields that nobody reads.
constexpr std::size_t depth_limit = 64;
// How deep we look for more ids in a workload that is refused. Each level costs some stack.
constexpr std::size_t depth_limit_for_ids = 1000;

std::string quoted(std::string_view name) { return '"' + std::string(name) + '"'; }

// Listens to the parser and keeps what belongs to a task. Nothing here can make the parser stop: what is
// wrong is noted with the task or with the batch, and the text is read on, so that every id in it is known.
class Handler {
 public:
  static constexpr std::size_t max_object_size = -1;
  static constexpr std::size_t max_array_size = -1;
  static constexpr std::size_t max_key_size = -1;
  static constexpr std::size_t max_string_size = -1;

  Handler() { tasks.reserve(128); }  // the usual size of a batch

  std::vector<Task> tasks;

  // What is wrong with the batch as a whole, although it is JSON; empty when it is sound.
  std::string mistake() const {
    if (!root_is_object_) return "The batch cannot be read: it must be an object with \"tasks\".";
    if (tasks_keys_ == 0) return "The batch cannot be read: it has no \"tasks\".";
    if (tasks_keys_ > 1) return "The batch cannot be read: its \"tasks\" stands twice.";
    if (tasks_is_.empty()) return {};
    return "The batch cannot be read: \"tasks\" must be an object and is " + std::string(tasks_is_) + ".";
  }

  // ---- what the parser calls

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }

  bool on_object_begin(json::error_code&) {
    const bool known =
        place_ == Place::document || place_ == Place::tasks || (place_ == Place::root && key_ == "tasks");
    if (ignored_ > 0 || !known) return ignore("an object");
    if (place_ == Place::document) root_is_object_ = true;
    if (place_ == Place::tasks) fields_ = 0;
    go(+1);
    return true;
  }

  bool on_object_end(std::size_t, json::error_code&) {
    if (ignored_ > 0) {
      --ignored_;
      return true;
    }
    if (place_ == Place::task && (fields_ & arguments) == 0) refuse("\"arguments\" is missing");
    go(-1);
    return true;
  }

  bool on_array_begin(json::error_code&) { return ignore("an array"); }
  bool on_array_end(std::size_t, json::error_code&) {
    --ignored_;
    return true;
  }

  bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
    if (ignored_ == 0) unfinished_key_.append(part);
    return true;
  }

  bool on_key(json::string_view part, std::size_t, json::error_code&) {
    if (ignored_ > 0) return true;
    key_.assign(unfinished_key_).append(part);
    unfinished_key_.clear();
    if (place_ == Place::root && key_ == "tasks") ++tasks_keys_;
    if (place_ == Place::tasks) tasks.emplace_back().id = key_;
    if (place_ == Place::task) begin_field();
    return true;
  }

  bool on_string_part(json::string_view part, std::size_t, json::error_code&) {
    if (ignored_ == 0 && text_ != nullptr) text_->append(part);
    return true;
  }

  bool on_string(json::string_view part, std::size_t, json::error_code&) {
    if (ignored_ > 0) return true;
    if (text_ == nullptr) return value("a string");
    std::exchange(text_, nullptr)->append(part);
    if (field_ == created_date) check_created_date();
    return true;
  }

  bool on_bool(bool yes, json::error_code&) {
    if (ignored_ > 0 || place_ != Place::task || field_ != wants_output) return value("true or false");
    tasks.back().wants_output = yes;
    return true;
  }

  bool on_null(json::error_code&) {
    const bool is_default = ignored_ == 0 && place_ == Place::task && field_ == wants_output;
    return is_default || value("null");
  }

  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(std::int64_t, json::string_view, json::error_code&) { return value("a number"); }
  bool on_uint64(std::uint64_t, json::string_view, json::error_code&) { return value("a number"); }
  bool on_double(double, json::string_view, json::error_code&) { return value("a number"); }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  // The innermost of the objects that we know, in the order of their nesting.
  enum class Place { document, root, tasks, task };
  // The fields of a task that we read; unique bits, so that a set of them is a number.
  enum Field : unsigned { unknown = 0, created_date = 1, arguments = 2, wants_output = 4 };

  void go(int levels) { place_ = static_cast<Place>(static_cast<int>(place_) + levels); }

  // An object or array that is not one of those we know: everything in it passes unseen.
  bool ignore(std::string_view kind) {
    if (ignored_ == 0) value(kind);
    ++ignored_;
    return true;
  }

  void begin_field() {
    field_ = key_ == "arguments"      ? arguments
             : key_ == "createdDate"  ? created_date
             : key_ == "wants_output" ? wants_output
                                      : unknown;
    const bool again = (fields_ & field_) != 0;
    if (again) refuse(quoted(key_) + " stands twice");
    fields_ |= field_;
    if (field_ == arguments && !again) text_ = &tasks.back().arguments;
    if (field_ == created_date && !again) text_ = &tasks.back().created_date;
  }

  void check_created_date() {
    const std::string& date = tasks.back().created_date;
    if (parse_rfc3339(date)) return;
    refuse("\"createdDate\" must be a time like 2024-08-04T21:34:35.241750+00:00 and is " +
           quoted(excerpt(date, 100)));
  }

  // A value of a kind that is not what its place asks for, unless nobody asks.
  bool value(std::string_view kind) {
    if (ignored_ > 0) return true;
    text_ = nullptr;
    if (place_ == Place::root && key_ == "tasks") tasks_is_ = kind;
    if (place_ == Place::tasks) refuse("it must be an object and is " + std::string(kind));
    if (place_ == Place::task && field_ != unknown) {
      const std::string_view wanted = field_ == wants_output ? "true or false" : "a string";
      // What stands twice has been told already.
      if (kind == wanted) return true;
      refuse(quoted(key_) + " must be " + std::string(wanted) + " and is " + std::string(kind));
    }
    return true;
  }

  // The first reason is the one that is told.
  void refuse(const std::string& reason) {
    if (!tasks.back().result) tasks.back().fail("The task cannot be read: " + reason + ".");
  }

  Place place_ = Place::document;
  std::size_t ignored_ = 0;  // how deep we are in what nobody reads
  bool root_is_object_ = false;
  int tasks_keys_ = 0;
  std::string_view tasks_is_;  // what "tasks" is instead of an object
  std::string key_;
  std::string unfinished_key_;
  Field field_ = unknown;
  unsigned fields_ = 0;          // those of the task that have been read
  std::string* text_ = nullptr;  // where the string that comes next goes
};

WorkloadText parse(std::string_view workload, std::size_t max_depth) {
  json::parse_options options;
  options.max_depth = max_depth;
  json::basic_parser<Handler> parser(options);
  json::error_code error;
  const std::size_t read = parser.write_some(false, workload.data(), workload.size(), error);
  if (!error && read < workload.size()) error = json::error::extra_data;

  std::string mistake = parser.handler().mistake();
  if (error == json::error::too_deep) {
    mistake = "The batch cannot be read: at byte " + std::to_string(read) + " it is nested more than " +
              std::to_string(max_depth) + " levels deep.";
  } else if (error) {
    mistake = "The batch cannot be read: at byte " + std::to_string(read) +
              " it stops being JSON in UTF-8 (" + error.message() + ").";
  }
  return {std::move(parser.handler().tasks), std::move(mistake)};
}

// The same text with U+FFFD for each escaped half of a surrogate pair that lacks its other half.
std::string without_lone_surrogates(std::string text) {
  // 'h' for the escape of a high surrogate at this place, 'l' for that of a low one, 0 for anything else.
  const auto surrogate = [&text](std::size_t at) {
    const std::string_view escape = std::string_view(text).substr(std::min(at, text.size()), 6);
    if (escape.size() < 6 || escape.substr(0, 2) != "\\u" || (escape[2] != 'd' && escape[2] != 'D'))
      return '\0';
    if (std::string_view("89aAbB").find(escape[3]) != std::string_view::npos) return 'h';
    return std::string_view("cCdDeEfF").find(escape[3]) != std::string_view::npos ? 'l' : '\0';
  };
  for (std::size_t at = text.find('\\'); at != std::string::npos; at = text.find('\\', at)) {
    const char half = surrogate(at);
    if (half == 'h' && surrogate(at + 6) == 'l') {
      at += 12;
    } else if (half != 0) {
      text.replace(at, 6, "\\ufffd");
      at += 6;
    } else {
      at += 2;
    }
  }
  return text;
}

}  // namespace

WorkloadText read_workload(std::string_view workload) {
  WorkloadText text = parse(workload, depth_limit);
  if (text.mistake.empty()) return text;

  // A controller that misses one answer may wait for ever, so we look for the ids behind the mistake too:
  // bytes that are not UTF-8, half a surrogate pair and nesting that is too deep do not hide them.
  text.tasks = parse(without_lone_surrogates(to_utf8(workload)), depth_limit_for_ids).tasks;
  return text;
}

}  // namespace quire
