// Finds the socket that a library has just opened and does not tell.
//
//   const SocketSearch search;          // what is open now
//   library_connects();
//   int descriptor = search.new_tcp_socket(4730);
#pragma once

#include <netinet/in.h>

#include <mutex>
#include <set>

namespace quire {

class SocketSearch {
 public:
  // While one search lives, another thread's waits: each finds its own socket.
  SocketSearch();

  // The TCP socket that was opened since and is connected to this port; -1 when there is none.
  int new_tcp_socket(in_port_t port) const;

 private:
  std::unique_lock<std::mutex> lock_;
  std::set<int> before_;
};

}  // namespace quire
