// Checks: whether job servers answer, and how they were started.
#include "worker/health/checks.hpp"
#include "worker/installation.hpp"

namespace quire {
namespace {

// Calls use(server, facts) for each job server whose start can be seen; says of the others what cannot be
// told.
template <typename Use>
void for_each_gearmand(Examination& site, const std::string& what, Use use) {
  for (const ServerAnswer& answer : site.servers()) {
    const JobServer& server = answer.server;
    if (const std::optional<GearmandFacts> facts = site.host().gearmand(server)) {
      use("The job server " + server.name() + " (" + facts->source + ")", *facts);
    } else {
      site.say(Finding::Level::ok, "It cannot be told from here " + what + ": the job server " +
                                       server.name() +
                                       (is_on_this_host(server) ? " runs where its process cannot be seen."
                                                                : " runs on another host."));
    }
  }
}

// How gearmand is told: by words that are a line each in the file it reads, and that a file of ours has all.
std::string write(const std::string& words) {
  return "write " + words + " into " + gearmand_file + " (as " + installation().gearmand_file +
         " has it; PARAMS of " + gearmand_parameters_file + " counts more) and restart gearman-job-server.";
}

}  // namespace

namespace checks {

void server(Examination& site) {
  for (const ServerAnswer& answer : site.servers()) {
    if (answer.problem.empty()) continue;
    site.alarm(answer.problem + " Start gearmand there, or name the right one in gearman_servers.");
  }
  site.say_well("The job servers answer.");
}

void listening(Examination& site) {
  for (const ServerAnswer& answer : site.servers()) {
    if (!is_on_this_host(answer.server) || !site.host().listens_everywhere(answer.server.port)) continue;
    site.warn(
        "The job server " + answer.server.name() +
        " listens on every address of this host, and whoever reaches it can run client scripts: keep others "
        "out with a firewall, or " +
        write("--listen=127.0.0.1"));
  }
  site.say_well("No job server of this host listens on every address.");
}

void queue(Examination& site) {
  for_each_gearmand(
      site, "whether its queue is on disk", [&](const std::string& who, const GearmandFacts& facts) {
        if (facts.queue != "builtin") return;
        site.warn(who + " keeps its queue in memory, so background jobs are lost when it stops: " +
                  write("--queue-type=libsqlite3 and --libsqlite3-db=" + std::string(advised_queue_file)));
      });
  site.say_well("Queues are kept on disk.");
}

void retries(Examination& site) {
  for_each_gearmand(site, "how often it delivers a job again",
                    [&](const std::string& who, const GearmandFacts& facts) {
                      if (facts.retries != 0) return;
                      site.warn(who + " delivers a job whose worker dies again without limit: " +
                                write("--job-retries=" + std::to_string(advised_retries)));
                    });
  site.say_well("Job servers give a job up after some deliveries.");
}

}  // namespace checks
}  // namespace quire
