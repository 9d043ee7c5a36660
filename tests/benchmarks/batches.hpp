// The batches of a load: packets that are made before the clock starts, each with ids that no record has
// seen.
#pragma once

#include <algorithm>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "tests/benchmarks/connection.hpp"

namespace benchmark {

struct Load {
  std::string function;
  std::size_t tasks = 0;
  std::size_t batch_size = 0;
  std::size_t in_flight = 0;  // batches that are sent and not answered
  std::size_t bytes = 0;      // of output that each task is to have; its arguments are that number; 0: none
  std::chrono::milliseconds interval{0};  // between the sending of two batches
};

// An id as a UUID looks.
inline std::string make_id(std::mt19937_64& random) {
  char text[37];
  const auto high = random(), low = random();
  std::snprintf(text, sizeof text, "%08x-%04x-4%03x-8%03x-%012llx", static_cast<unsigned>(high >> 32),
                static_cast<unsigned>(high & 0xffff), static_cast<unsigned>(high >> 16 & 0xfff),
                static_cast<unsigned>(low >> 48 & 0xfff),
                static_cast<unsigned long long>(low & 0xffffffffffff));
  return text;
}

inline std::string make_batch(const Load& load, std::size_t tasks, std::mt19937_64& random) {
  std::string body = load.function + '\0' + make_id(random) + '\0' + R"({"tasks":{)";
  for (std::size_t i = 0; i < tasks; ++i) {
    const std::string id = make_id(random);
    if (i > 0) body += ',';
    body += '"' + id + R"(":{"uuid":")" + id +
            R"(","createdDate":"2024-08-04T21:34:35.241750+00:00","arguments":")" +
            (load.bytes > 0 ? std::to_string(load.bytes) + R"(","wants_output":true})"
                            : R"(","wants_output":false})");
  }
  return request(Packet::submit_job, body + "}}");
}

// All batches have batch_size tasks but the last, which has what is left.
inline std::vector<std::string> make_batches(const Load& load) {
  std::mt19937_64 random(std::random_device{}());
  std::vector<std::string> batches;
  for (std::size_t left = load.tasks; left > 0; left -= std::min(left, load.batch_size)) {
    batches.push_back(make_batch(load, std::min(left, load.batch_size), random));
  }
  return batches;
}

}  // namespace benchmark
