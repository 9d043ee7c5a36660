// Packets of the host protocol over a socket, with descriptors beside them. Both sides use it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "worker/host/descriptor.hpp"

namespace quire {

struct Packet {
  std::string text;
  std::vector<Descriptor> descriptors;
};

// A connected pair of packet sockets, closed on exec.
// Throws std::system_error.
std::pair<Descriptor, Descriptor> control_socket_pair();

// Sends one packet; the descriptors stay the caller's. False when the other side is gone or the packet
// cannot be sent at once.
bool send_packet(int socket, std::string_view text, const std::vector<int>& descriptors = {});

enum class Receive { packet, nothing, closed };

// Takes the next packet without blocking. Descriptors arrive closed on exec.
Receive receive_packet(int socket, Packet& packet);

}  // namespace quire
