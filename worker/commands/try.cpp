// quire try: one task, here and now, in the way the worker would run it; no job server and no record.
#include <algorithm>
#include <iostream>
#include <thread>

#include <boost/archive/iterators/base64_from_binary.hpp>
#include <boost/archive/iterators/transform_width.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "common/command_line.hpp"
#include "common/exit_status.hpp"
#include "common/text.hpp"
#include "worker/commands/command.hpp"
#include "worker/commands/command_options.hpp"
#include "worker/log.hpp"
#include "worker/module_registry.hpp"
#include "worker/site.hpp"
#include "worker/subprocess_pool.hpp"

namespace quire {

namespace {

std::string base64(const std::string& bytes) {
  using namespace boost::archive::iterators;
  using Digits = base64_from_binary<transform_width<std::string::const_iterator, 6, 8>>;
  std::string text(Digits(bytes.begin()), Digits(bytes.end()));
  text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

void add_text(boost::json::object& object, const std::string& name, const std::string& bytes) {
  if (is_utf8(bytes)) {
    object[name] = bytes;
  } else {
    object[name + "_b64"] = base64(bytes);
  }
}

void print_json(const TaskResult& result) {
  boost::json::object line;
  line["exit_code"] = wire_exit_code(result.exit_code);
  add_text(line, "stdout", result.output);
  add_text(line, "stderr", result.error);
  if (!result.process_output.empty()) add_text(line, "process_stdout", result.process_output);
  if (!result.process_error.empty()) add_text(line, "process_stderr", result.process_error);
  std::cout << boost::json::serialize(line) << '\n';
}

// Runs the task on a loop that this thread turns: children are killed when the thread that started them ends.
void run(const Module& module, const std::string& function, const Settings& settings, Task& task) {
  boost::asio::io_context loop;
  auto work = boost::asio::make_work_guard(loop);
  SubprocessPool pool(loop, settings, [](const std::string&, const std::string&, const std::string& text) {
    std::cerr << text;
  });
  std::thread waiting([&] {
    pool.run(module, function, "try", {&task});
    loop.stop();
  });
  loop.run();
  waiting.join();
}

void prepare(Task& task, const std::vector<std::string>& words, bool raw, const Settings& settings) {
  task.id = "00000000-0000-0000-0000-000000000000";
  task.created_date = iso8601(now());
  if (!raw) {
    task.words.assign(words.begin() + 1, words.end());
    return;
  }
  if (words.size() != 2) {
    throw UsageError("--raw takes a function and one string of arguments: quote the string.");
  }
  task.arguments = words[1];
  std::string created = task.created_date;
  std::replace(created.begin(), created.end(), 'T', ' ');
  try {
    const ArgumentSettings values = argument_settings(settings);
    task.words = parse_arguments(task.arguments, {.shared_path = values.shared_directory,
                                                  .client_scripts_directory = values.client_scripts_directory,
                                                  .client_assets_directory = values.client_assets_directory,
                                                  .date = task.created_date,
                                                  .task_uuid = task.id,
                                                  .job_created_date = created});
  } catch (const UnbalancedArguments& error) {
    task.fail(std::string("The arguments cannot be split: ") + error.what() + ".");
  }
}

void set_up_log(bool verbose) { logs::set_up({.level = verbose ? "info" : "off", .form = logs::Form::bare}); }

}  // namespace

int run_try(const std::vector<std::string>& arguments) {
  CommandOptions options(
      {.usage = "quire try [OPTIONS] FUNCTION|MODULE [ARGUMENT…]",
       .description =
           "Runs one job with a client script, here and now, in a process of its own as the worker\n"
           "would: no job server, no record. Prints what the job wrote, and what its process\n"
           "wrote itself, and exits with the job's code (255 where that is larger).",
       .example = "  quire try hello World\n"
                  "  quire try --raw checksum_v0.0 'sha256 \"%sharedPath%a file\"'",
       .settings = {"client_modules", "client_scripts", "python", "python_path", "python_prefix",
                    "shared_directory", "time_limit", "memory_limit"}});
  options.own().add_options()(
      "json", boost::program_options::bool_switch(),
      "print one line of JSON: exit_code, stdout, stderr (…_b64 where the bytes are not UTF-8)")(
      "raw", boost::program_options::bool_switch(),
      "take one string, as a controller sends it: placeholders are replaced, then it is split")(
      "verbose", boost::program_options::bool_switch(), "tell what the module's host has to say, too");
  if (!options.parse(arguments, CommandOptions::Words::end_options)) return exit_ok;
  if (options.words().empty()) {
    throw UsageError("Name a function of the module table, or a module: quire try hello World.");
  }
  const Settings settings = options.settings();
  set_up_log(options.values()["verbose"].as<bool>());
  const std::string& name = options.words().front();

  Task task;
  prepare(task, options.words(), options.values()["raw"].as<bool>(), settings);
  try {
    const ModuleRegistry modules(settings);
    const Module module = modules.find_function_or_module(name);
    if (!task.result) run(module, lower_case(name), settings, task);
  } catch (const NoSuchModule& error) {
    if (!task.result) task.fail(error.what());
  }

  const TaskResult& result = *task.result;
  if (options.values()["json"].as<bool>()) {
    print_json(result);
  } else {
    std::cout << result.output << result.process_output << std::flush;
    std::cerr << result.error;
    // A job that its process died with has what it wrote last in its errors already.
    if (result.error.find(result.process_error) == std::string::npos) std::cerr << result.process_error;
  }
  return static_cast<int>(std::clamp<std::int64_t>(wire_exit_code(result.exit_code), 0, 255));
}

}  // namespace quire
