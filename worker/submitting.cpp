#include "worker/submitting.hpp"

#include <algorithm>
#include <exception>
#include <unordered_map>
#include <utility>

#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid_io.hpp>

namespace quire {
namespace {

// In single quotes; a single quote itself goes between double ones. The worker drops a backslash before each
// backtick, so one is added where there was one.
std::string quote_word(const std::string& word) {
  std::string quoted = "'";
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word[i] == '\'') {
      quoted += "'\"'\"'";
      continue;
    }
    if (word[i] == '`' && i > 0 && word[i - 1] == '\\') quoted += '\\';
    quoted += word[i];
  }
  return quoted + "'";
}

bool is_plain(const std::string& word) {
  const auto plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           std::string_view("%+,-./:=@_").find(c) != std::string_view::npos;
  };
  return !word.empty() && std::all_of(word.begin(), word.end(), plain);
}

}  // namespace

std::string new_id() {
  static thread_local boost::uuids::random_generator_mt19937 generator;
  return boost::uuids::to_string(generator());
}

std::string quote_words(const std::vector<std::string>& words) {
  std::string arguments;
  for (const std::string& word : words) {
    if (!arguments.empty()) arguments += ' ';
    arguments += is_plain(word) ? word : quote_word(word);
  }
  return arguments;
}

std::vector<std::string> settle(std::vector<Task>& tasks, const BatchAnswer& answer) {
  std::string problem = answer.reason;
  std::unordered_map<std::string, TaskResult> results;
  if (answer.kind == BatchAnswer::Kind::completed) {
    problem = "The reply has no result for this task.";
    try {
      for (ReplyEntry& entry : decode_reply(answer.reply)) results[entry.id] = std::move(entry.result);
    } catch (const std::exception& error) {
      problem = error.what();
    }
  }
  std::vector<std::string> problems;
  for (Task& task : tasks) {
    const auto found = results.find(task.id);
    if (found != results.end()) task.result = std::move(found->second);
    problems.push_back(found == results.end() ? problem : "");
  }
  return problems;
}

}  // namespace quire
