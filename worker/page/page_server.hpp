// The page for administrators: what is asked for, and who may ask.
//
// Whoever reaches its address may read. Changing anything needs the token (Sessions), a POST, and a request
// that no other site can have sent. Every page can be read without JavaScript; script.js only keeps it up to
// date.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "worker/function_prefix.hpp"
#include "worker/http_server.hpp"
#include "worker/page/session.hpp"
#include "worker/page/workers_view.hpp"
#include "worker/record_clearing.hpp"
#include "worker/task_query.hpp"

namespace quire::page {

class PageServer {
 public:
  struct Options {
    std::string address;             // IP:PORT
    std::vector<std::string> hosts;  // names by which it is reached besides
    std::string token_file;
    std::string record;
    std::string state_directory;                          // of the workers of this host
    std::function<std::vector<JobServer>()> job_servers;  // any thread
    FunctionPrefix prefix = {};                           // of the functions at the job servers
  };

  // Throws std::invalid_argument where the address is none.
  explicit PageServer(Options options);

 private:
  HttpResponse answer(const HttpRequest& request);
  HttpResponse read(const Visit& visit);
  HttpResponse change(const Visit& visit);
  HttpResponse one_task(const Visit& visit, std::string_view rest);
  HttpResponse sign_in(const Visit& visit);
  HttpResponse cancel(const Visit& visit, const std::string& id);
  HttpResponse retry(const Visit& visit, const std::string& id);
  void add_written(TaskDetails& details);
  HttpResponse csv(TaskFilter filter) const;
  const WorkersStatus& workers();
  const std::vector<Queue>& queues();

  const Options options_;
  Sessions sessions_;
  TaskQuery record_;
  std::unique_ptr<ClearingThread> clearing_;  // the last one; null: there was none yet
  std::uint64_t deletions_counted_ = 0;       // of its, those that record_'s counts know of
  WorkersStatus workers_;
  std::chrono::steady_clock::time_point workers_known_{};
  std::vector<Queue> queues_;
  std::chrono::steady_clock::time_point queues_known_{};
  HttpServer server_;  // last: its thread uses all of the above
};

}  // namespace quire::page
