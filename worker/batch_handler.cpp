#include "worker/batch_handler.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <thread>

#include <spdlog/spdlog.h>

#include "worker/batch_log.hpp"
#include "worker/log.hpp"

namespace quire {

namespace {

// How often the record is asked what became of tasks that another worker runs.
constexpr auto look_interval = std::chrono::milliseconds(200);

}  // namespace

BatchHandler::Answer BatchHandler::handle(const Delivery& delivery, const Site& site) try {
  const auto begin = std::chrono::steady_clock::now();
  const logs::About about(delivery.handle, delivery.function);
  Batch batch = decode_batch(delivery, site.arguments);
  // What the batch has in hand is let go of when its results are on record, however it comes to its end.
  const std::unique_ptr<Batch, std::function<void(Batch*)>> in_hand(
      &batch, [this](Batch* b) { in_hand_.release(*b); });
  const bool to_its_end = bring_to_its_end(batch, site);
  Answer given = answer(batch, to_its_end, site);
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  if (given.kind == Answer::Kind::reply) {
    if (metrics_ != nullptr) metrics_->batch_ended(batch, taken);
    tell(batch, taken, site.settings.log_failed_output);
  } else if (metrics_ != nullptr) {
    metrics_->batch_interrupted();
  }
  return given;
} catch (const UnreadableBatch& error) {
  logs::batch()->error("{} {}: {} The job is failed, since there is no task to answer.", delivery.handle,
                       delivery.function, error.what());
  return {};
} catch (const std::exception& error) {
  logs::batch()->error("{} {}: {} The job is failed.", delivery.handle, delivery.function, error.what());
  return {};
}

void BatchHandler::interrupt() {
  interrupted_ = true;
  in_hand_.interrupt();
}

bool BatchHandler::bring_to_its_end(Batch& batch, const Site& site) {
  for (;;) {
    const std::vector<Task*> open = batch.unanswered();
    if (open.empty()) return true;
    if (interrupted_) return false;
    const std::vector<Task*> ours = in_hand_.claim(open);
    if (ours.empty()) {
      in_hand_.publish(batch);
      if (!in_hand_.wait_for(open)) return false;
      continue;
    }
    const TaskRecord::Begun begun = record_.begin(batch, ours);
    run(batch, begun.to_run, site);
    if (begun.elsewhere.empty()) continue;
    record_what_has_ended(batch);
    std::this_thread::sleep_for(look_interval);
  }
}

// Two workers may wait for tasks of each other, so what has ended is on record before we wait.
void BatchHandler::record_what_has_ended(Batch& batch) {
  const bool news = std::ranges::any_of(
      batch.tasks, [](const Task& task) { return task.result && !task.result->on_record; });
  if (!news) return;
  record_.finished(batch);
  for (Task& task : batch.tasks) {
    if (task.result) task.result->on_record = task.result->in_database = true;
  }
}

void BatchHandler::run(Batch& batch, const std::vector<Task*>& tasks, const Site& site) {
  if (tasks.empty()) return;
  try {
    runner_.run(site.modules.find(batch.function), batch.function, batch.handle, tasks);
  } catch (const NoSuchModule& error) {
    for (Task* task : tasks) task->fail(error.what());
    logs::batch()->error("{} {}: {}", batch.handle, batch.function, error.what());
  }
}

BatchHandler::Answer BatchHandler::answer(Batch& batch, bool to_its_end, const Site& site) {
  if (!to_its_end) {
    const std::vector<Task*> open = batch.unanswered();
    const bool fail = site.settings.fail_interrupted;
    logs::batch()->warn("{} {}: {} of {} tasks were cut short; {}", batch.handle, batch.function, open.size(),
                        batch.tasks.size(),
                        fail ? "they are answered as failed" : "the job server delivers the batch again");
    if (!fail) {
      record_.interrupted(batch, open);
      record_.finished(batch);
      return {Answer::Kind::interrupted, {}};
    }
    for (Task* task : open)
      task->fail("The worker was stopped before this task was done (fail_interrupted).");
  }
  record_.finished(batch);
  return {Answer::Kind::reply, encode_reply(batch)};
}

}  // namespace quire
