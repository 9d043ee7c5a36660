// A controller in C++: submits a task for each word, in batches of two, and tells what comes of them as it
// comes.
//
//   controller SERVERS FUNCTION WORD…
//   controller 127.0.0.1:4730 hello Ann Ben Cem
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include <quire/controller.hpp>

namespace controller = quire::controller;

int main(int argc, char** argv) try {
  if (argc < 4) {
    std::cerr << "Usage: controller SERVERS FUNCTION WORD…\n";
    return 64;
  }
  const char* const key = std::getenv("WORKERS_KEY");  // where several sites share the job server
  bool all_succeeded = true;
  const auto tell = [&](const controller::Answer& answer) {
    for (const controller::Result& result : answer.results) {
      if (result.exit_code != 0) all_succeeded = false;
      if (result.exit_code) {
        std::cout << *result.exit_code << ' ' << result.output << result.error << std::flush;
      } else {
        std::cout << "no answer: " << result.problem << std::endl;
      }
    }
  };
  controller::Submitter submitter({.servers = argv[1], .workers_key = key != nullptr ? key : ""}, tell);

  // All batches at once: the workers take them as they have time, and they end in any order.
  const std::vector<std::string> words(argv + 3, argv + argc);
  for (std::size_t i = 0; i < words.size(); i += 2) {
    std::vector<controller::Task> batch;
    for (std::size_t j = i; j < words.size() && j < i + 2; ++j) {
      batch.push_back({.id = controller::new_id(), .arguments = controller::quote({words[j]})});
    }
    submitter.submit(argv[2], batch);
  }
  while (submitter.in_flight() > 0) submitter.run_for(std::chrono::seconds(1));
  return all_succeeded ? EXIT_SUCCESS : EXIT_FAILURE;
} catch (const controller::Unreachable& error) {
  std::cerr << "controller: " << error.what() << '\n';
  return 69;
} catch (const std::exception& error) {
  std::cerr << "controller: " << error.what() << '\n';
  return 70;
}
