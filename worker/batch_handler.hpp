// The journey of a batch, from what Gearman delivered to what it is answered: start reading here.
#pragma once

#include <optional>
#include <string>

#include "worker/batch.hpp"
#include "worker/module_registry.hpp"
#include "worker/settings.hpp"
#include "worker/subset_runner.hpp"
#include "worker/task_record.hpp"

namespace quire {

// What the placeholders stand for. %clientScriptsDirectory% is the first of the folders, with a slash at its
// end: controllers write "%clientScriptsDirectory%name".
ArgumentSettings argument_settings(const Settings& settings);

class BatchHandler {
 public:
  // All must outlive the handler.
  BatchHandler(const Settings& settings, const ModuleRegistry& modules, SubsetRunner& runner,
               TaskRecord& record);

  // Runs a batch and gives its reply; nothing where no task could be read from it, so that the job is to be
  // failed. Never throws. Called by many threads at once.
  std::optional<std::string> handle(const Delivery& delivery);

 private:
  void run(Batch& batch);

  const ArgumentSettings arguments_;
  const ModuleRegistry& modules_;
  SubsetRunner& runner_;
  TaskRecord& record_;
};

}  // namespace quire
