// The floor: a bare libgearman worker of a few lines, in one process, that reads the task ids of a batch and
// answers that all went well. No script is run and nothing is recorded: what is left is Gearman itself.
//
//   floor PORT
//
// It serves "floor", and "floor_output", which answers each task with as much output as its arguments say. As
// every libgearman worker that nobody has tuned, it sends over a socket with a buffer of 32 kB.
#include <libgearman/gearman.h>

#include <cstdlib>
#include <string>
#include <string_view>

namespace {

// with_output: whether the function is floor_output.
gearman_return_t answer(gearman_job_st* job, void* with_output) {
  const std::string_view workload(static_cast<const char*>(gearman_job_workload(job)),
                                  gearman_job_workload_size(job));
  // The load generator writes no blanks, and nothing but the id before a brace: "ID":{
  std::string reply = R"({"task_results":{)";
  const std::string_view mark = "\":{\"uuid\"";
  for (std::size_t at = workload.find(mark); at != std::string_view::npos; at = workload.find(mark, at + 1)) {
    const std::string_view id = workload.substr(at - 36, 36);
    if (reply.back() == '}') reply += ',';
    reply += '"';
    reply += id;
    reply += R"(":{"exitCode":0,"finishedTimestamp":"2024-08-04T21:44:55.661575+00:00")";
    if (with_output != nullptr) {
      const std::string_view arguments = "\"arguments\":\"";
      const auto size =
          std::stoul(std::string(workload.substr(workload.find(arguments, at) + arguments.size(), 12)));
      reply.append(R"(,"stdout":")").append(size, 'x') += R"(","stderr":"","stderror":"")";
    }
    reply += '}';
  }
  reply += "}}";
  return gearman_job_send_complete(job, reply.data(), reply.size());
}

}  // namespace

int main(int, char** arguments) {
  gearman_worker_st* worker = gearman_worker_create(nullptr);
  gearman_worker_add_server(worker, "127.0.0.1", static_cast<in_port_t>(std::atoi(arguments[1])));
  gearman_worker_define_function(worker, "floor", 5, gearman_function_create(answer), 0, nullptr);
  gearman_worker_define_function(worker, "floor_output", 12, gearman_function_create(answer), 0, worker);
  while (gearman_worker_work(worker) == GEARMAN_SUCCESS) {
  }
  return 1;
}
