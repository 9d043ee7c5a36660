// A connection to a job server with what is in hand over it: which functions it offers, which results are on
// their way, and whether the other side is still there. Used by one thread.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "worker/gearman_connection.hpp"

namespace quire {

class GearmanLine {
 public:
  // Whether a reply has reached the job server.
  struct Delivered {
    std::string handle;
    std::string unique;
    bool has_arrived = false;
  };

  // patience: for how long the server may be silent before it is asked whether it is there, and then until it
  // must have answered. Throws ConnectionLost.
  GearmanLine(const JobServer& server, const std::string& identifier, const FunctionPrefix& prefix,
              const std::vector<std::string>& functions, std::set<std::string> not_offered,
              std::chrono::milliseconds patience);

  GearmanConnection& connection() { return connection_; }
  const GearmanConnection& connection() const { return connection_; }

  // A job of the function was taken, or is not in hand any more.
  void taken(const std::string& function, bool exclusive);
  void released(const std::string& function, bool exclusive);
  bool has_exclusive() const { return exclusive_in_hand_ > 0; }

  // Asks for a job, unless it asks already or cannot just now; false where it does not ask.
  bool ask();

  // Offers all functions but these, as far as the jobs in hand allow.
  void withdraw_only(const std::set<std::string>& functions);

  // Answers a job; what becomes of the reply is told by take_delivered() later.
  void complete(GearmanConnection::Job& job, std::string_view reply, const std::string& handle,
                const std::string& unique);

  // Asks the server for a sign of what it has read, where that is due, and sees to it that it is there.
  // Throws ConnectionLost where it is not.
  void look_after();

  // What has become known since the last call.
  std::vector<Delivered> take_delivered();

  // The connection is lost: what was not confirmed has not arrived, as far as anybody knows.
  std::vector<Delivered> give_up();

  bool has_unconfirmed() const { return !unconfirmed_.empty(); }

  // Nothing is in hand, on its way, or asked for.
  bool is_done() const { return in_hand_.empty() && unconfirmed_.empty() && !connection_.question_open(); }

 private:
  using Clock = std::chrono::steady_clock;
  struct Unconfirmed {
    std::uint64_t number;
    std::uint64_t question;  // the first one that was, or will be, asked after it
    Delivered result;
  };

  void confirm();

  GearmanConnection connection_;
  const std::string server_;
  const std::chrono::milliseconds patience_;
  std::set<std::string> withdrawn_;             // functions that this connection does not offer at present
  std::map<std::string, std::size_t> in_hand_;  // function → jobs
  std::size_t exclusive_in_hand_ = 0;
  std::deque<Unconfirmed> unconfirmed_;
  std::vector<Delivered> delivered_;
  std::uint64_t last_number_ = 0;  // of a result, or of a probe without one
  std::uint64_t probed_ = 0;       // the last number that the server was asked to echo
  std::uint64_t refused_ = 0;
  std::uint64_t heard_ = 0;
  Clock::time_point last_heard_ = Clock::now();
  Clock::time_point asked_ = Clock::now();  // since when it owes an answer
};

}  // namespace quire
