// How a gearmand on this host was started: what its administration protocol does not tell.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "worker/job_server.hpp"

namespace quire {

// What Debian's gearmand reads: a file with words of its command line, and the command line that its service
// has.
inline constexpr const char* gearmand_file = "/etc/gearmand.conf";
inline constexpr const char* gearmand_parameters_file = "/etc/default/gearman-job-server";

// As etc/gearmand/gearmand.conf has it; a test compares.
inline constexpr const char* advised_queue_file = "/var/lib/gearman/queue.sqlite";
inline constexpr std::size_t advised_retries = 5;

struct GearmandFacts {
  std::string source;             // where this is from: "process 42" or a file
  std::string queue = "builtin";  // --queue-type
  std::size_t retries = 0;        // --job-retries; 0: no limit
  bool round_robin = false;
};

// Whether the server's host is this one.
bool is_on_this_host(const JobServer& server);

// The facts of the gearmand process that listens on the server's port, from its command line and the file
// that this names; where no such process can be seen, from Debian's file /etc/default/gearman-job-server.
// Nothing where the server is on another host, or neither is there.
std::optional<GearmandFacts> gearmand_facts(const JobServer& server);

// The facts in gearmand's words, and where there is one, the port. Reads the file that --config-file names.
GearmandFacts facts_of_words(const std::vector<std::string>& words, std::optional<std::uint16_t>& port);

// Whether somebody listens on the port at every address of this host.
bool listens_everywhere(std::uint16_t port);

// The same, in a table of the form of /proc/net/tcp.
bool listens_everywhere(const std::string& table, std::uint16_t port);

}  // namespace quire
