// A private job server for one test.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "tests/support/temporary_folder.hpp"

namespace quire::test {

// gearmand on 127.0.0.1 and a free port; it accepts connections when this has been constructed and is gone
// when it has been destroyed.
class Gearmand {
 public:
  Gearmand();
  ~Gearmand();
  Gearmand(const Gearmand&) = delete;
  Gearmand& operator=(const Gearmand&) = delete;

  std::uint16_t port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  // Ends it at once, as a crash would.
  void kill();

 private:
  TemporaryFolder folder_;
  std::uint16_t port_ = 0;
  pid_t process_ = -1;
};

// A port on 127.0.0.1 on which nobody listens.
std::uint16_t free_port();

// Whether somebody accepts connections there.
bool accepts_connections(std::uint16_t port);

}  // namespace quire::test
