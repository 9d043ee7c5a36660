#include "worker/health/examination.hpp"

#include <algorithm>

#include "worker/suggestion.hpp"
#include "worker/workers_key.hpp"

namespace quire {
namespace {

constexpr auto question_limit = std::chrono::seconds(3);
constexpr std::size_t names_told = 5;

ServerAnswer ask(const JobServer& server) {
  ServerAnswer answer{.server = server};
  try {
    answer.functions = function_status(server, question_limit);
    answer.connections = worker_connections(server, question_limit);
  } catch (const std::runtime_error& error) {
    answer.problem = error.what();
  }
  return answer;
}

}  // namespace

Examination::Examination(const SiteFacts& facts) : facts_(facts), prefix_(function_prefix(facts.settings)) {
  for (const JobServer& server : parse_job_servers(settings().gearman_servers))
    servers_.push_back(ask(server));
  try {
    table_ = std::make_unique<ModuleRegistry>(settings());
  } catch (const ConfigurationError& error) {
    table_problem_ = error.what();
  }
}

std::set<std::string> Examination::names_on_server() const {
  std::set<std::string> names;
  if (!table_) return names;
  for (const std::string& function : table_->functions()) names.insert(prefix_.on_server(function));
  return names;
}

std::string Examination::suggested(std::string_view command, std::string_view words) const {
  return quire::suggested(facts_.options, command, words);
}

void Examination::begin(const std::string& check) {
  check_ = check;
  before_ = findings_.size();
}

void Examination::say(Finding::Level level, const std::string& sentence) {
  findings_.push_back({level, check_, sentence});
}

void Examination::say_well(const std::string& sentence) {
  if (findings_.size() == before_) say(Finding::Level::ok, sentence);
}

std::string some_of(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), names_told); ++i)
    text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > names_told) text += " and " + std::to_string(names.size() - names_told) + " more";
  return text;
}

}  // namespace quire
