// The job servers as the setting gearman_servers names them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace quire {

struct JobServer {
  std::string host;
  std::uint16_t port = 4730;

  // "host:port"; an IPv6 address in brackets.
  std::string name() const;
};

// From "host:port,host,[::1]:4731". Throws ConfigurationError with a sentence: nothing named, or no port.
std::vector<JobServer> parse_job_servers(std::string_view list);

}  // namespace quire
