// A child process: started, watched, ended, reaped.
//
// Children are started without copying our page tables, so that the time it takes does not grow with our
// memory. They lead a process group of their own and are killed when the thread that started them ends, so
// start them from a thread that lives as long as the program.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/exit_status.hpp"

namespace boost::asio {
class io_context;
}

namespace quire {

class Subprocess {
 public:
  struct Launch {
    std::string program;                   // a path
    std::vector<std::string> arguments;    // without the program's own name
    std::vector<std::string> environment;  // "NAME=value"; nothing else is handed on
    std::vector<std::pair<int, int>>
        descriptors;                 // ours → the child's; it has no others but stdin from /dev/null
    bool no_new_privileges = false;  // neither it nor its children gain any: no sudo, no set-user-id programs
  };

  // Starts the program; `ended` is called once, on the loop, when it has ended and been reaped, but never
  // after this object has gone. Throws std::system_error when it cannot be started.
  Subprocess(boost::asio::io_context& loop, const Launch& launch, std::function<void(ExitStatus)> ended);

  // Kills and reaps the process, if it still runs, with its process group.
  ~Subprocess();

  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;

  int pid() const;

  // Sends a signal to the process group; does nothing when the process has ended.
  void signal(int number);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace quire
