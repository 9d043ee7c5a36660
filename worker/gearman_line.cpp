#include "worker/gearman_line.hpp"

#include <algorithm>
#include <utility>

namespace quire {

GearmanLine::GearmanLine(const JobServer& server, const std::string& identifier, const FunctionPrefix& prefix,
                         const std::vector<std::string>& functions, std::set<std::string> not_offered,
                         std::chrono::milliseconds patience)
    : connection_(server, identifier, prefix, functions),
      server_(server.name()),
      patience_(patience),
      withdrawn_(std::move(not_offered)) {}

void GearmanLine::taken(const std::string& function, bool exclusive) {
  ++in_hand_[function];
  if (exclusive) ++exclusive_in_hand_;
}

void GearmanLine::released(const std::string& function, bool exclusive) {
  if (--in_hand_[function] == 0) in_hand_.erase(function);
  if (exclusive) --exclusive_in_hand_;
}

bool GearmanLine::ask() {
  if (connection_.asking()) return true;
  if (connection_.echoed() < probed_) return false;
  connection_.ask();
  return true;
}

// The server takes a job away when its function is withdrawn from the connection that has it.
void GearmanLine::withdraw_only(const std::set<std::string>& functions) {
  for (const std::string& function : functions) {
    if (withdrawn_.contains(function) || in_hand_.contains(function)) continue;
    connection_.withdraw(function);
    withdrawn_.insert(function);
  }
  std::erase_if(withdrawn_, [&](const std::string& function) {
    if (functions.contains(function)) return false;
    connection_.offer(function);
    return true;
  });
}

void GearmanLine::complete(GearmanConnection::Job& job, std::string_view reply, const std::string& handle,
                           const std::string& unique) {
  connection_.complete(job, reply);
  unconfirmed_.push_back({++last_number_, connection_.questions() + 1, {handle, unique, false}});
}

void GearmanLine::look_after() {
  confirm();
  const auto now = Clock::now();
  if (heard_ != connection_.heard()) {
    heard_ = connection_.heard();
    last_heard_ = now;
  }
  const bool owes_an_answer = connection_.question_open() || connection_.echoed() < probed_;
  if (owes_an_answer) {
    if (now - std::max(last_heard_, asked_) > patience_) throw ConnectionLost(server_ + " does not answer");
    return;
  }
  const bool silent = now - last_heard_ > patience_;
  if (unconfirmed_.empty() && !silent) {
    asked_ = now;
    return;
  }
  if (unconfirmed_.empty()) ++last_number_;
  probed_ = last_number_;
  asked_ = now;
  connection_.probe(probed_);
}

// gearmand reads what comes over a connection in order, so the echo of a number tells that the results up to
// it have been read, and so does the answer to a question that was asked after them; while there is work, the
// questions do, and no echo is needed. Which result a refusal belongs to cannot be told where several were on
// their way.
void GearmanLine::confirm() {
  const bool refused = connection_.refused() != refused_;
  const auto has_arrived = [this](const Unconfirmed& each) {
    return each.number <= connection_.echoed() || each.question <= connection_.answers();
  };
  while (!unconfirmed_.empty() && has_arrived(unconfirmed_.front())) {
    delivered_.push_back(std::move(unconfirmed_.front().result));
    delivered_.back().has_arrived = !refused;
    unconfirmed_.pop_front();
    refused_ = connection_.refused();
  }
}

std::vector<GearmanLine::Delivered> GearmanLine::take_delivered() { return std::exchange(delivered_, {}); }

std::vector<GearmanLine::Delivered> GearmanLine::give_up() {
  std::vector<Delivered> all = take_delivered();
  for (Unconfirmed& each : unconfirmed_) all.push_back(std::move(each.result));
  unconfirmed_.clear();
  return all;
}

}  // namespace quire
