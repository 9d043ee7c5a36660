#include "tests/support/answering_worker.hpp"

#include <sys/socket.h>

#include <memory>
#include <stdexcept>

#include <libgearman/gearman.h>

#include "worker/batch.hpp"
#include "worker/socket_search.hpp"

namespace quire::test {
namespace {

gearman_return_t work(gearman_job_st* job, void* context) {
  const auto& answer = *static_cast<const AnsweringWorker::Answer*>(context);
  const auto* workload = static_cast<const char*>(gearman_job_workload(job));
  const std::optional<std::string> reply = answer(std::string(workload, gearman_job_workload_size(job)));
  if (reply) {
    gearman_job_send_complete(job, reply->data(), reply->size());
  } else {
    gearman_job_send_fail(job);
  }
  return GEARMAN_SUCCESS;
}

}  // namespace

AnsweringWorker::AnsweringWorker(std::uint16_t port, std::map<std::string, Answer> functions)
    : functions_(std::move(functions)) {
  const std::shared_ptr<gearman_worker_st> worker(gearman_worker_create(nullptr), gearman_worker_free);
  gearman_worker_remove_servers(worker.get());
  gearman_worker_add_server(worker.get(), "127.0.0.1", port);
  // With libgearman's own buffers large replies crawl, which is not what a test of the client is about.
  const SocketSearch search;
  gearman_worker_echo(worker.get(), "x", 1);
  const int size = 4 * 1024 * 1024;
  for (const int buffer : {SO_SNDBUF, SO_RCVBUF}) {
    ::setsockopt(search.new_tcp_socket(port), SOL_SOCKET, buffer, &size, sizeof size);
  }
  gearman_worker_set_timeout(worker.get(), 20);
  for (auto& [name, answer] : functions_) {
    const gearman_function_t function = gearman_function_create(work);
    if (gearman_failed(
            gearman_worker_define_function(worker.get(), name.c_str(), name.size(), function, 0, &answer))) {
      throw std::runtime_error("The test's worker cannot offer " + name + ".");
    }
  }
  thread_ = std::thread([this, worker] {
    while (!stopping_) gearman_worker_work(worker.get());
  });
}

AnsweringWorker::~AnsweringWorker() {
  stopping_ = true;
  thread_.join();
}

std::optional<std::string> do_tasks(const std::string& workload) {
  Batch batch =
      decode_batch({.function = "test", .handle = "", .unique = "", .workload = workload, .server = ""}, {});
  for (Task& task : batch.tasks) {
    if (task.result) continue;
    if (task.arguments.find("fail") != std::string::npos) {
      task.fail("cannot do " + task.arguments, 3);
    } else {
      task.result.emplace().output = "did " + task.arguments;
      task.result->finished = now();
    }
  }
  return encode_reply(batch);
}

}  // namespace quire::test
