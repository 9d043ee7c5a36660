// The control socket of a worker: a Unix socket by the name of its process, in the folder control/ of the
// state directory. Who may write to it may ask and cancel: mode 0660, in a folder of mode 0750.
//
// Lives on the main loop and never blocks it: a client that sends half a line or does not read its answer
// waits alone, and is forgotten after a while.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace boost::asio {
class io_context;
}

namespace quire {

// Where the sockets of all workers with this state directory are.
std::string control_folder(const std::string& state_directory);

class ControlServer {
 public:
  // Gives the answer to a line; neither has its line feed. Must not throw.
  using Answer = std::function<std::string(std::string_view line)>;

  // Listens, and removes the sockets of workers that are gone. Throws std::runtime_error with a sentence when
  // the folder or the socket cannot be made.
  ControlServer(boost::asio::io_context& loop, const std::string& state_directory, Answer answer);

  // Removes the socket.
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  const std::string& path() const { return path_; }

 private:
  struct Impl;
  std::string path_;
  std::shared_ptr<Impl> impl_;
};

}  // namespace quire
