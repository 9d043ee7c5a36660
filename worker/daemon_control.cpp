#include "worker/daemon_control.hpp"

#include <unistd.h>

#include <algorithm>
#include <future>

#include <spdlog/spdlog.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "common/plural.hpp"
#include "worker/log.hpp"
#include "worker/settings_table.hpp"

namespace quire {
namespace {

namespace asio = boost::asio;

constexpr auto loop_patience = std::chrono::seconds(5);

// Those that tell which worker this is and what it may do.
constexpr std::array told_settings = {"gearman_servers",  "client_modules", "client_scripts", "record",
                                      "state_directory",  "time_limit",     "memory_limit",   "max_attempts",
                                      "shutdown_timeout", "log_level"};

std::string text_of(const Settings& settings, const SettingRow& row) {
  return std::visit(
      [&](auto member) -> std::string {
        using Value = std::decay_t<decltype(settings.*member)>;
        if constexpr (std::is_same_v<Value, std::string>) {
          return settings.*member;
        } else if constexpr (std::is_same_v<Value, bool>) {
          return settings.*member ? "yes" : "no";
        } else {
          return std::to_string(settings.*member);
        }
      },
      row.member);
}

// "is cancelled on request before it has begun"
std::string told(const Cancellation& answer) {
  const std::size_t number = answer.shares.size();
  const std::string others = counted(number, "other that has", "others that have") + " begun in its process";
  switch (answer.kind) {
    case Cancellation::Kind::kept:
      return "is cancelled on request before it has begun";
    case Cancellation::Kind::ending:
      return "is being ended on request" + (number == 0 ? "" : ", and with it " + others);
    case Cancellation::Kind::shared:
      return "is not cancelled on request: it would take " + others + " with it, which was not accepted";
    case Cancellation::Kind::too_late:
      return "is not cancelled on request: it has ended";
    case Cancellation::Kind::unknown:
      break;
  }
  return "is not here";
}

}  // namespace

struct DaemonControl::Impl {
  Impl(asio::io_context& io, Parts given) : loop(io), parts(std::move(given)) {}

  WorkerStatus snapshot() const {
    WorkerStatus status;
    status.client = parts.client;
    status.pid = ::getpid();
    status.version = QUIRE_VERSION;
    status.started = started;
    for (const char* name : told_settings)
      status.settings[name] = text_of(parts.settings(), *find_row(setting_rows, name));
    const RecordState record = parts.record();
    status.record_healthy = record.healthy;
    status.record_problem = record.problem;
    status.record_waiting = record.entries_waiting;
    const Owed owed = parts.owed();
    status.results_owed = owed.results;
    status.owed = owed.results == 0 ? "" : owed.describe();
    parts.pool(status);
    parts.gearman(status);
    return status;
  }

  std::vector<Cancellation> cancel(const std::vector<std::string>& ids, bool with_subset) const {
    std::vector<Cancellation> answers = parts.cancel(ids, with_subset);
    for (const Cancellation& answer : answers) {
      if (answer.kind == Cancellation::Kind::unknown) continue;
      logs::worker()->info("task {} {}", answer.id, told(answer));
    }
    return answers;
  }

  asio::io_context& loop;
  const Parts parts;
  const Timestamp started = now();
};

namespace {

// Calls it on the main loop and waits. Whoever gives up leaves it to the loop, which may still come to it.
template <typename Call>
auto on_loop(asio::io_context& loop, Call call) {
  if (loop.get_executor().running_in_this_thread()) return call();
  auto task = std::make_shared<std::packaged_task<decltype(call())()>>(std::move(call));
  auto result = task->get_future();
  asio::post(loop, [task] { (*task)(); });
  if (result.wait_for(loop_patience) != std::future_status::ready) {
    throw ControlUnavailable("The worker does not come round to answer: it is about to end, or very busy.");
  }
  return result.get();
}

}  // namespace

DaemonControl::DaemonControl(asio::io_context& loop, Parts parts)
    : impl_(std::make_shared<Impl>(loop, std::move(parts))) {}
DaemonControl::~DaemonControl() = default;

WorkerStatus DaemonControl::snapshot() {
  return on_loop(impl_->loop, [impl = impl_] { return impl->snapshot(); });
}

std::optional<WrittenSoFar> DaemonControl::written(const std::string& id) {
  return on_loop(impl_->loop, [impl = impl_, id] { return impl->parts.written(id); });
}

std::vector<Cancellation> DaemonControl::cancel(const std::vector<std::string>& ids, bool with_subset) {
  return on_loop(impl_->loop, [impl = impl_, ids, with_subset] { return impl->cancel(ids, with_subset); });
}

}  // namespace quire
