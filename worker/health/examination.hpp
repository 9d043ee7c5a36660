// What the checks share: the answers of the job servers, asked for once, and the findings.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/plural.hpp"
#include "worker/function_prefix.hpp"
#include "worker/gearman_admin.hpp"
#include "worker/health/health.hpp"
#include "worker/module_registry.hpp"

namespace quire {

// What a job server says, or why it says nothing.
struct ServerAnswer {
  JobServer server;
  std::vector<FunctionStatus> functions = {};
  std::vector<WorkerConnection> connections = {};
  std::string problem = {};
};

class Examination {
 public:
  // Asks the job servers. The facts must outlive the examination.
  explicit Examination(const SiteFacts& facts);

  const SiteFacts& facts() const { return facts_; }
  const Settings& settings() const { return facts_.settings; }
  const HostFacts& host() const { return facts_.host; }
  const std::vector<ServerAnswer>& servers() const { return servers_; }
  const FunctionPrefix& prefix() const { return prefix_; }

  // The module table; null where it cannot be read, for the reason in table_problem().
  const ModuleRegistry* table() const { return table_.get(); }
  const std::string& table_problem() const { return table_problem_; }

  // What the job servers call the functions of the table.
  std::set<std::string> names_on_server() const;

  // A command for the user to call next, about this site (suggestion.hpp).
  std::string suggested(std::string_view command, std::string_view words = {}) const;

  // What is said from now on is of this check.
  void begin(const std::string& check);

  void warn(const std::string& sentence) { say(Finding::Level::warning, sentence); }
  void alarm(const std::string& sentence) { say(Finding::Level::critical, sentence); }
  void say(Finding::Level level, const std::string& sentence);

  // Said where the check has found nothing.
  void say_well(const std::string& sentence);

  std::vector<Finding> take() { return std::move(findings_); }

 private:
  const SiteFacts& facts_;
  const FunctionPrefix prefix_;
  std::vector<ServerAnswer> servers_;
  std::unique_ptr<ModuleRegistry> table_;
  std::string table_problem_;
  std::vector<Finding> findings_;
  std::string check_;
  std::size_t before_ = 0;  // findings of earlier checks
};

// A few names of many: "a, b and 3 more".
std::string some_of(const std::vector<std::string>& names);

}  // namespace quire
