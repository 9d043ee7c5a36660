// One connection to one job server, as its worker: jobs are taken one after the other and answered in any
// order.
//
// libgearman connects, registers, reads jobs and sends results. Its own loop answers a job before it takes
// the next; to hold several, we read the headers of what the server says and ask for jobs ourselves (steer()
// in the .cpp tells why). Used by one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "worker/batch.hpp"
#include "worker/function_prefix.hpp"
#include "worker/job_server.hpp"

namespace quire {

// The connection cannot be used any more, or never could; what() says why. Jobs that it brought are the job
// server's again.
struct ConnectionLost : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class GearmanConnection {
 public:
  // A job in hand; it belongs to the connection that brought it.
  class Job;

  struct Taken {
    std::shared_ptr<Job> job;
    Delivery delivery;
  };

  // Connects and offers the functions, which have the prefix on the server and nowhere else. Throws
  // ConnectionLost.
  GearmanConnection(const JobServer& server, const std::string& identifier, const FunctionPrefix& prefix,
                    const std::vector<std::string>& functions);
  ~GearmanConnection();
  GearmanConnection(const GearmanConnection&) = delete;
  GearmanConnection& operator=(const GearmanConnection&) = delete;

  // To be polled for reading; take() then.
  int descriptor() const;

  // Asks the server for a job. It arrives by take(), at once or when there is one; until then the connection
  // is asking(). REQUIRES: !asking(), and no echo is on its way: libgearman would take it for the answer
  void ask();
  bool asking() const;

  // Reads what the server has sent: a job, or nothing for us. Throws ConnectionLost.
  std::unique_ptr<Taken> take();

  // Takes a function back, or offers it again. Both hold for the jobs asked for afterwards.
  // REQUIRES of withdraw(): no job of the function is in hand, or the server takes it away
  void withdraw(std::string_view function);
  void offer(std::string_view function);

  // While held, no job is asked for when the server says that there is one; it is when the hold ends.
  void hold(bool held);

  // Asks the server to echo a number, which tells that it has read all that was sent before. The highest one
  // echoed so far is echoed(). REQUIRES: !question_open(), or libgearman may read the echo with the job
  void probe(std::uint64_t number);
  std::uint64_t echoed() const;

  // How many questions for a job have been asked, and how many answered: the answer to one tells, too, that
  // the server has read what was sent before it.
  std::uint64_t questions() const;
  std::uint64_t answers() const;

  // How often the server has said anything.
  std::uint64_t heard() const;

  // How often it has refused something that was sent, a result for a job that it does not know for one.
  std::uint64_t refused() const;

  // Asks no more, for good. While the last question is open, a job may still arrive. The functions stay
  // offered: to withdraw them would take the jobs in hand away.
  void stop_asking();
  bool question_open() const;

  // Answers a job. Throws ConnectionLost.
  void complete(Job& job, std::string_view reply);
  void fail(Job& job);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace quire
