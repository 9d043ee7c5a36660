#include "worker/gearman_client.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

#include <libgearman/gearman.h>

#include "worker/socket_search.hpp"

namespace quire {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// libgearman fixes 32 kB, with which large texts crawl at 1.7 MB/s even over loopback. The kernel takes as
// much of this as its limits allow.
constexpr int socket_buffer = 4 * 1024 * 1024;

void raise_buffers(int descriptor) {
  ::setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &socket_buffer, sizeof socket_buffer);
  ::setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &socket_buffer, sizeof socket_buffer);
}

struct FreeClient {
  void operator()(gearman_client_st* client) const { gearman_client_free(client); }
};
using Client = std::unique_ptr<gearman_client_st, FreeClient>;

std::string describe(const std::vector<JobServer>& servers) {
  std::string names = servers.front().name();
  for (std::size_t i = 1; i < servers.size(); ++i)
    names += (i + 1 < servers.size() ? ", " : " or ") + servers[i].name();
  return names;
}

// Nothing when the server does not answer. An echo is the first thing sent, so that a server which accepts
// connections and says no more is noticed before it has a batch.
Client connected_to(const JobServer& server, milliseconds limit) {
  Client made(gearman_client_create(nullptr));
  if (!made) throw std::bad_alloc();
  gearman_client_remove_servers(made.get());  // those that GEARMAN_SERVERS in the environment has put in
  if (gearman_failed(gearman_client_add_server(made.get(), server.host.c_str(), server.port))) return nullptr;
  gearman_client_add_options(made.get(), GEARMAN_CLIENT_FREE_TASKS);
  gearman_client_set_timeout(made.get(), static_cast<int>(limit.count()));
  const SocketSearch search;
  // Unless asked for, exceptions are not sent, and a job that ends with one is never heard of again. To ask
  // for them connects already.
  gearman_client_add_options(made.get(), GEARMAN_CLIENT_EXCEPTION);
  if (gearman_failed(gearman_client_echo(made.get(), "quire", 5))) return nullptr;
  const int descriptor = search.new_tcp_socket(server.port);
  if (descriptor >= 0) raise_buffers(descriptor);
  return made;
}

// The first server that answers; with a list, libgearman would spread the batches over all of them.
Client connected_to_first(const std::vector<JobServer>& servers, milliseconds limit) {
  for (const JobServer& server : servers) {
    if (Client made = connected_to(server, limit)) return made;
  }
  throw JobServerUnreachable("The job server at " + describe(servers) +
                             " cannot be reached: start gearmand there, or name the right one with "
                             "--gearman-servers HOST:PORT.");
}

void check_names(const std::string& function, const std::string& unique, const std::string& workload) {
  if (function.empty() || function.size() > 512) {
    throw std::invalid_argument("The name of a function has between 1 and 512 bytes.");
  }
  if (unique.empty() || unique.size() > 64) {
    throw std::invalid_argument("The unique id of a batch has between 1 and 64 bytes.");
  }
  if (workload.empty()) throw std::invalid_argument("A batch without a workload cannot be submitted.");
}

}  // namespace

std::string submit_in_background(const std::vector<JobServer>& servers, const std::string& function,
                                 const std::string& unique, const std::string& workload, milliseconds limit) {
  check_names(function, unique, workload);
  const Client client = connected_to_first(servers, limit);
  gearman_job_handle_t handle = {};
  const gearman_return_t code = gearman_client_do_background(client.get(), function.c_str(), unique.c_str(),
                                                             workload.data(), workload.size(), handle);
  if (gearman_failed(code)) {
    throw JobServerUnreachable("The job server at " + describe(servers) +
                               " did not take the batch: " + gearman_strerror(code) + ".");
  }
  return handle;
}

struct BatchSubmitter::Impl {
  // A batch on its way; libgearman reads function, unique and workload where they lie.
  struct InFlight {
    Impl* owner;
    std::string function;
    std::string unique;
    std::string workload;
    std::string handle;
    bool added = false;  // libgearman knows it
    bool ended = false;  // its answer waits to be handed over
  };

  Impl(Options given, Answered callback) : options(std::move(given)), answered(std::move(callback)) {}

  void connect();
  void add_new_batches();
  void run();
  void lose_connection(const std::string& reason);
  bool hand_over();

  // libgearman's callbacks: C is below and above them, so nothing may be thrown.
  static gearman_return_t on_created(gearman_task_st* task);
  static gearman_return_t on_complete(gearman_task_st* task);
  static gearman_return_t on_fail(gearman_task_st* task);
  static gearman_return_t on_exception(gearman_task_st* task);
  static InFlight& batch_of(gearman_task_st* task) {
    return *static_cast<InFlight*>(gearman_task_context(task));
  }
  void ended(InFlight& batch, BatchAnswer::Kind kind, std::string reply, std::string reason);

  Options options;
  Answered answered;
  std::map<std::string, std::unique_ptr<InFlight>> batches;  // by unique
  std::deque<BatchAnswer> answers;                           // not handed over yet
  Client client;                                             // before the batches it points to: freed first
};

BatchSubmitter::BatchSubmitter(Options options, Answered answered)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(answered))) {
  if (impl_->options.servers.empty()) throw std::invalid_argument("BatchSubmitter needs a job server.");
}

BatchSubmitter::~BatchSubmitter() = default;

void BatchSubmitter::submit(const std::string& function, const std::string& unique, std::string workload) {
  check_names(function, unique, workload);
  auto batch = std::make_unique<Impl::InFlight>(
      Impl::InFlight{impl_.get(), function, unique, std::move(workload), {}});
  if (!impl_->batches.emplace(unique, std::move(batch)).second) {
    throw std::invalid_argument("A batch with the unique id " + unique + " is in flight already.");
  }
}

std::size_t BatchSubmitter::in_flight() const { return impl_->batches.size(); }

// One round: let libgearman send and receive as far as it can without waiting; hand over what came of it; and
// only when that was nothing, wait for the sockets.
void BatchSubmitter::run_for(milliseconds limit) {
  const auto deadline = steady_clock::now() + limit;
  while (!impl_->batches.empty()) {
    impl_->add_new_batches();
    impl_->run();
    if (impl_->hand_over()) return;
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
    if (left.count() <= 0) return;
    // Its timeout begins anew at every signal: short, for the sake of a caller that watches a flag.
    gearman_client_set_timeout(impl_->client.get(),
                               static_cast<int>(std::min(left, milliseconds{200}).count()));
    gearman_client_wait(impl_->client.get());
  }
}

void BatchSubmitter::Impl::connect() {
  client = connected_to_first(options.servers, options.connection_limit);
  gearman_client_add_options(client.get(), GEARMAN_CLIENT_NON_BLOCKING);
  gearman_client_set_created_fn(client.get(), on_created);
  gearman_client_set_complete_fn(client.get(), on_complete);
  gearman_client_set_fail_fn(client.get(), on_fail);
  gearman_client_set_exception_fn(client.get(), on_exception);
}

void BatchSubmitter::Impl::add_new_batches() {
  if (!client) connect();
  for (const auto& [unique, batch] : batches) {
    if (batch->added) continue;
    gearman_return_t code = GEARMAN_SUCCESS;
    gearman_client_add_task(client.get(), nullptr, batch.get(), batch->function.c_str(), unique.c_str(),
                            batch->workload.data(), batch->workload.size(), &code);
    if (gearman_failed(code)) {
      throw std::runtime_error("libgearman refuses a batch: " + std::string(gearman_strerror(code)));
    }
    batch->added = true;
  }
}

void BatchSubmitter::Impl::run() {
  const gearman_return_t code = gearman_client_run_tasks(client.get());
  switch (code) {
    case GEARMAN_SUCCESS:
    case GEARMAN_IO_WAIT:
    case GEARMAN_TIMEOUT:
    case GEARMAN_NO_ACTIVE_FDS:
      return;
    default:
      return lose_connection(gearman_strerror(code));
  }
}

// What libgearman still holds of these batches cannot be taken up again, so it starts afresh.
void BatchSubmitter::Impl::lose_connection(const std::string& reason) {
  client.reset();
  std::vector<InFlight*> lost;
  for (const auto& [unique, batch] : batches) {
    // Those not added yet go over the next connection.
    if (batch->added && !batch->ended) lost.push_back(batch.get());
  }
  for (InFlight* batch : lost) {
    ended(*batch, BatchAnswer::Kind::lost, {},
          "The connection to the job server broke before the answer came (" + reason +
              "); submit the task again.");
  }
}

bool BatchSubmitter::Impl::hand_over() {
  if (answers.empty()) return false;
  while (!answers.empty()) {
    const BatchAnswer answer = std::move(answers.front());
    answers.pop_front();
    batches.erase(answer.unique);
    answered(answer);
  }
  return true;
}

void BatchSubmitter::Impl::ended(InFlight& batch, BatchAnswer::Kind kind, std::string reply,
                                 std::string reason) {
  batch.ended = true;
  answers.push_back({kind, batch.unique, batch.handle, std::move(reply), std::move(reason)});
}

gearman_return_t BatchSubmitter::Impl::on_created(gearman_task_st* task) {
  InFlight& batch = batch_of(task);
  batch.handle = gearman_task_job_handle(task);
  return GEARMAN_SUCCESS;
}

gearman_return_t BatchSubmitter::Impl::on_complete(gearman_task_st* task) {
  InFlight& batch = batch_of(task);
  const auto* data = static_cast<const char*>(gearman_task_data(task));
  std::string reply = data == nullptr ? std::string() : std::string(data, gearman_task_data_size(task));
  batch.owner->ended(batch, BatchAnswer::Kind::completed, std::move(reply), {});
  return GEARMAN_SUCCESS;
}

gearman_return_t BatchSubmitter::Impl::on_fail(gearman_task_st* task) {
  InFlight& batch = batch_of(task);
  batch.owner->ended(batch, BatchAnswer::Kind::failed, {},
                     "The worker reported that the job failed (WORK_FAIL); its log says why.");
  return GEARMAN_SUCCESS;
}

gearman_return_t BatchSubmitter::Impl::on_exception(gearman_task_st* task) {
  InFlight& batch = batch_of(task);
  const gearman_string_t text = gearman_task_exception(task);
  batch.owner->ended(
      batch, BatchAnswer::Kind::failed, {},
      "The worker ended the job with an exception: " + std::string(gearman_c_str(text), gearman_size(text)));
  return GEARMAN_SUCCESS;
}

}  // namespace quire
