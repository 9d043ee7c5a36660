// The floor: a bare libgearman worker of a few lines, in one process, that reads the task ids of a batch and
// answers that all went well. No script is run and nothing is recorded: what is left is Gearman itself.
//
//   floor PORT NAME [SEND_BUFFER]
//
// It serves NAME, NAME_output, which answers each task with as much output as its arguments say, and
// NAME_program, which runs /bin/true for each task. As every libgearman worker that nobody has tuned, it
// sends over a socket with a buffer of 32 kB, unless it is given another size in bytes.
#include <libgearman/gearman.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "worker/socket_search.hpp"

namespace {

enum class Work { none, output, program };

int run_program() {
  char name[] = "/bin/true";
  char* const arguments[] = {name, nullptr};
  pid_t child = 0;
  int status = 0;
  if (posix_spawn(&child, name, nullptr, nullptr, arguments, environ) != 0) return 1;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

// work: which of the three functions it is.
gearman_return_t answer(gearman_job_st* job, void* work) {
  const std::string_view workload(static_cast<const char*>(gearman_job_workload(job)),
                                  gearman_job_workload_size(job));
  // The load generator writes no blanks, and nothing but the id before a brace: "ID":{
  std::string reply = R"({"task_results":{)";
  const std::string_view mark = "\":{\"uuid\"";
  for (std::size_t at = workload.find(mark); at != std::string_view::npos; at = workload.find(mark, at + 1)) {
    const std::string_view id = workload.substr(at - 36, 36);
    const int code = *static_cast<Work*>(work) == Work::program ? run_program() : 0;
    if (reply.back() == '}') reply += ',';
    reply += '"';
    reply += id;
    reply += R"(":{"exitCode":)";
    reply += std::to_string(code);
    reply += R"(,"finishedTimestamp":"2024-08-04T21:44:55.661575+00:00")";
    if (*static_cast<Work*>(work) == Work::output) {
      const std::string_view before = "\"arguments\":\"";
      const auto size =
          std::stoul(std::string(workload.substr(workload.find(before, at) + before.size(), 12)));
      reply.append(R"(,"stdout":")").append(size, 'x') += R"(","stderr":"","stderror":"")";
    }
    reply += '}';
  }
  reply += "}}";
  return gearman_job_send_complete(job, reply.data(), reply.size());
}

void define(gearman_worker_st* worker, const std::string& name, Work& work) {
  gearman_worker_define_function(worker, name.data(), name.size(), gearman_function_create(answer), 0, &work);
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) {
    std::fputs("floor PORT NAME [SEND_BUFFER]\n", stderr);
    return 64;
  }
  const auto port = static_cast<in_port_t>(std::atoi(arguments[1]));
  const std::string name = arguments[2];
  gearman_worker_st* worker = gearman_worker_create(nullptr);
  gearman_worker_add_server(worker, "127.0.0.1", port);
  Work none = Work::none, output = Work::output, program = Work::program;
  define(worker, name, none);
  define(worker, name + "_output", output);
  define(worker, name + "_program", program);
  const quire::SocketSearch search;
  gearman_worker_set_identifier(worker, name.data(), name.size());  // connects
  if (count > 3) {
    const int size = std::atoi(arguments[3]);
    setsockopt(search.new_tcp_socket(port), SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
  }
  while (gearman_worker_work(worker) == GEARMAN_SUCCESS) {
  }
  return 1;
}
