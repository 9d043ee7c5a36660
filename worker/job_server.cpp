#include "worker/job_server.hpp"

#include <charconv>

#include "worker/settings.hpp"

namespace quire {
namespace {

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

JobServer parse_job_server(std::string_view text) {
  JobServer server;
  std::string_view port;
  const auto bracket = text.front() == '[' ? text.find(']') : std::string_view::npos;
  if (bracket != std::string_view::npos) {
    server.host = text.substr(1, bracket - 1);
    port = text.substr(bracket + 1);
  } else {
    const auto colon = text.find(':');
    server.host = text.substr(0, colon);
    if (colon != std::string_view::npos) port = text.substr(colon);
  }
  if (!port.empty()) {
    const char* const end = port.data() + port.size();
    const auto [rest, error] = std::from_chars(port.data() + 1, end, server.port);
    if (port.front() != ':' || error != std::errc() || rest != end || server.port == 0) server.host.clear();
  }
  if (server.host.empty()) {
    throw ConfigurationError("gearman_servers: \"" + std::string(text) +
                             "\" is not a job server; write host:port, several with commas between them.");
  }
  return server;
}

}  // namespace

std::string JobServer::name() const {
  const bool address6 = host.find(':') != std::string::npos;
  return (address6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::vector<JobServer> parse_job_servers(std::string_view list) {
  std::vector<JobServer> servers;
  while (!list.empty()) {
    const auto comma = list.find(',');
    const std::string_view entry = trim(list.substr(0, comma));
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    if (!entry.empty()) servers.push_back(parse_job_server(entry));
  }
  if (servers.empty()) {
    throw ConfigurationError(
        "gearman_servers names no job server; write host:port, for example 127.0.0.1:4730.");
  }
  return servers;
}

}  // namespace quire
