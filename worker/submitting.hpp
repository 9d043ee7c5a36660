// What everybody needs who submits tasks: `quire submit` and the library quire::controller.
#pragma once

#include <string>
#include <vector>

#include "worker/batch.hpp"
#include "worker/gearman_client.hpp"

namespace quire {

// A random UUID, for a task or a batch. Any thread.
std::string new_id();

// The raw arguments string from which CONTRACT 2's splitting makes these words again. Placeholders in them
// are still replaced by the worker.
std::string quote_words(const std::vector<std::string>& words);

// Gives the tasks of a batch their results from its answer. Returns, for each of them, why it has none: a
// sentence, empty where it has one.
std::vector<std::string> settle(std::vector<Task>& tasks, const BatchAnswer& answer);

}  // namespace quire
