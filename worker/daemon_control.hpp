// WorkerControl of the daemon: what its parts know, put together.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "worker/control.hpp"
#include "worker/owed_table.hpp"
#include "worker/record_writer.hpp"
#include "worker/settings.hpp"

namespace boost::asio {
class io_context;
}

namespace quire {

class DaemonControl final : public WorkerControl {
 public:
  // The parts, asked on the main loop.
  struct Parts {
    std::string client;
    std::function<const Settings&()> settings;
    std::function<RecordState()> record;
    std::function<Owed()> owed;
    std::function<void(WorkerStatus&)> pool;     // SubprocessPool::describe()
    std::function<void(WorkerStatus&)> gearman;  // GearmanWorker::describe(), after the pool
    std::function<std::optional<WrittenSoFar>(const std::string&)> written;
    std::function<std::vector<Cancellation>(const std::vector<std::string>&, bool)> cancel;
  };

  DaemonControl(boost::asio::io_context& loop, Parts parts);
  ~DaemonControl() override;

  WorkerStatus snapshot() override;
  std::optional<WrittenSoFar> written(const std::string& id) override;
  std::vector<Cancellation> cancel(const std::vector<std::string>& ids, bool with_subset) override;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace quire
