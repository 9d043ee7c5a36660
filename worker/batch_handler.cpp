#include "worker/batch_handler.hpp"

#include <algorithm>
#include <chrono>

#include <spdlog/spdlog.h>

namespace quire {

namespace {

std::size_t count_failed(const Batch& batch) {
  return static_cast<std::size_t>(std::count_if(
      batch.tasks.begin(), batch.tasks.end(), [](const Task& task) { return task.result->exit_code != 0; }));
}

}  // namespace

ArgumentSettings argument_settings(const Settings& settings) {
  std::string folder = list_items(settings.client_scripts, ':').front();
  if (!folder.ends_with('/')) folder += '/';
  return {settings.shared_directory, folder, settings.client_assets_directory};
}

BatchHandler::BatchHandler(const Settings& settings, const ModuleRegistry& modules, SubsetRunner& runner,
                           TaskRecord& record)
    : arguments_(argument_settings(settings)), modules_(modules), runner_(runner), record_(record) {}

std::optional<std::string> BatchHandler::handle(const Delivery& delivery) try {
  const auto begin = std::chrono::steady_clock::now();
  Batch batch = decode_batch(delivery, arguments_);
  const std::vector<Task*> to_run = batch.unanswered();
  record_.begin(batch, to_run);
  run(batch);
  record_.finished(batch);
  std::string reply = encode_reply(batch);

  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  spdlog::info("{} {}: {} task{}, {} failed, {:.3f} s", batch.handle, batch.function, batch.tasks.size(), batch.tasks.size() == 1 ? "" : "s",
               count_failed(batch), taken.count());
  return reply;
} catch (const UnreadableBatch& error) {
  spdlog::error("{} {}: {} The job is failed, since there is no task to answer.", delivery.handle,
                delivery.function, error.what());
  return std::nullopt;
} catch (const std::exception& error) {
  spdlog::error("{} {}: {} The job is failed.", delivery.handle, delivery.function, error.what());
  return std::nullopt;
}

void BatchHandler::run(Batch& batch) {
  const std::vector<Task*> tasks = batch.unanswered();
  try {
    runner_.run(modules_.find(batch.function), batch.function, batch.handle, tasks);
  } catch (const NoSuchModule& error) {
    for (Task* task : tasks) task->fail(error.what());
    spdlog::error("{} {}: {}", batch.handle, batch.function, error.what());
  }
}

}  // namespace quire
