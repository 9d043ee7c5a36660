// quire submit: tasks to the job server, as a controller would send them, and what came of each.
#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <sstream>

#include "common/plural.hpp"
#include "worker/commands/command.hpp"
#include "worker/commands/command_options.hpp"
#include "worker/commands/interrupt.hpp"
#include "worker/commands/progress.hpp"
#include "worker/commands/result_output.hpp"
#include "worker/commands/submission.hpp"
#include "worker/commands/task_input.hpp"
#include "worker/commands/tasks.hpp"
#include "worker/suggestion.hpp"
#include "worker/workers_key.hpp"

namespace quire {
namespace {

namespace po = boost::program_options;

ResultFormat result_format(const std::string& name) {
  if (name == "table") return ResultFormat::table;
  if (name == "json") return ResultFormat::json;
  if (name == "csv") return ResultFormat::csv;
  throw UsageError("--format " + name + " is not known; choose table, json or csv.");
}

// What stands before "--" and, where there is one, what follows it.
struct CommandLine {
  std::vector<std::string> options;
  std::optional<std::vector<std::string>> task;
};

CommandLine divide(const std::vector<std::string>& arguments) {
  const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
  CommandLine line{{arguments.begin(), dashes}, {}};
  if (dashes != arguments.end()) line.task.emplace(dashes + 1, arguments.end());
  return line;
}

std::size_t positive(const po::variables_map& values, const char* name) {
  const auto number = values[name].as<long>();
  if (number < 1) throw UsageError(std::string("--") + name + " must be 1 or more.");
  return static_cast<std::size_t>(number);
}

std::unique_ptr<TaskInput> open_input(const CommandLine& line, const std::vector<std::string>& words,
                                      const po::variables_map& values) {
  LineInput input;
  if (values.count("file") != 0) input.file = values["file"].as<std::string>();
  if (words.size() == 2 && words[1] == "-" && input.file.empty()) {
    input.file = "-";
  } else if (words.size() > 1) {
    throw UsageError("The arguments of a task stand after --: quire submit " + words[0] + " -- " + words[1] +
                     ".");
  }
  const bool as_word = values["as-word"].as<bool>();
  const bool json = values["json-input"].as<bool>();
  if (input.file.empty()) {
    if (!line.task) {
      throw UsageError(
          "There is no task: give its arguments after --, or a --file with one task a line, or - for "
          "standard input.");
    }
    if (as_word || json)
      throw UsageError("--as-word and --json-input say how to read a --file, and there is none.");
    return task_of_words(*line.task);
  }
  if (as_word && json) throw UsageError("--as-word and --json-input exclude each other.");
  if (line.task && !as_word) {
    throw UsageError(
        "Tasks come from a file or from after --, not from both; with --as-word, what follows -- comes "
        "before the word of each line.");
  }
  input.form = as_word ? LineInput::Form::word : json ? LineInput::Form::json : LineInput::Form::arguments;
  input.delimiter = values["null"].as<bool>() ? '\0' : '\n';
  if (line.task) input.words = *line.task;
  return tasks_of_lines(input);
}

void add_options(po::options_description& options) {
  const auto text = [](const char* name) { return po::value<std::string>()->value_name(name); };
  const auto number = [](const char* name, long value) {
    return po::value<long>()->default_value(value)->value_name(name);
  };
  auto add = options.add_options();
  add("file,f", text("FILE"),
      "a task a line: its arguments as a controller sends them; empty lines are skipped; - is standard "
      "input");
  add("json-input", po::bool_switch(),
      R"(lines are JSON: {"id", "arguments", "wants_output", "created_date"}, or a string)");
  add("as-word", po::bool_switch(), "a line is one word (a file name), put after the words that follow --");
  add("null,0", po::bool_switch(), "lines end with NUL, as find -print0 writes them");
  add("batch-size", number("N", 128), "tasks a batch");
  add("in-flight", number("N", 4), "batches sent and not answered yet");
  add("format", text("table|json|csv")->default_value("table"),
      "of the results; json: a line each; csv: a cell that a spreadsheet would take for a formula begins "
      "with an "
      "apostrophe");
  add("output,o", text("FILE"), "write the results there instead of standard output");
  add("no-output", po::bool_switch(), "do not ask for what the tasks write");
  add("timeout", number("SECONDS", 0), "give up after this time; 0: never");
  add("quiet,q", po::bool_switch(), "no progress, no summary");
}

std::string summary(const Tally& tally, double seconds, const CommandOptions& options,
                    const std::string& function) {
  const std::size_t tasks = tally.answered() + tally.unanswered;
  if (tasks == 0 && tally.complete)
    return "The input has no task, so nothing was sent: it wants a task a line.";
  std::ostringstream text;
  text << counted(tasks, "task") << ": " << tally.succeeded << " succeeded, " << tally.failed << " failed, "
       << tally.unanswered << " without an answer; " << std::fixed << std::setprecision(2) << seconds << " s";
  if (seconds > 0 && tally.answered() > 0)
    text << " (" << rate_text(static_cast<double>(tally.answered()) / seconds) << " tasks/s)";
  text << '.';
  if (!tally.complete) {
    text << "\n"
         << tally.why
         << " The input was not sent to its end, or not waited for. A task that a worker has begun is worked "
            "on to "
            "its end, and its record has the result: "
         << options.suggested("tasks list", "--since 1h --function " + shell_word(function)) << ", then "
         << options.suggested("tasks show", "ID") << ".";
  }
  return text.str();
}

// Standard output, or the file that was asked for.
class Destination {
 public:
  explicit Destination(const po::variables_map& values) {
    if (values.count("output") == 0) return;
    name_ = values["output"].as<std::string>();
    file_.open(name_, std::ios::binary | std::ios::trunc);
    if (!file_) throw UsageError("--output " + name_ + " cannot be written: " + std::strerror(errno) + ".");
  }
  std::ostream& stream() { return name_.empty() ? std::cout : file_; }

  // Why to stop: the disk is full, or whoever read the results has seen enough.
  std::string problem() {
    if (stream()) return {};
    return "The results can no longer be written to " + (name_.empty() ? "standard output" : name_) + ".";
  }

 private:
  std::string name_;
  std::ofstream file_;
};

}  // namespace

int run_submit(const std::vector<std::string>& arguments) {
  CommandOptions options(
      {.usage = "quire submit [OPTIONS] FUNCTION (-- ARGUMENT… | --file FILE | -)",
       .description =
           "Sends tasks to the job server in batches, as a controller would, and prints what came of each.\n"
           "Where nobody serves the function it says so once, with the nearest name, and waits for a "
           "worker.\n"
           "Exits with 0, also where the input has no task, which is told; 1 when a task failed or got no "
           "answer;\n"
           "69 when no job server can be reached.",
       .example = "  quire submit hello -- World\n"
                  "  find . -type f -print0 | quire submit checksum_v0.0 --null --as-word - -- sha256\n"
                  "  quire submit checksum_v0.0 --file tasks.txt --format json --output results.jsonl",
       .settings = {"gearman_servers", "workers_key"}});
  add_options(options.own());
  const CommandLine line = divide(arguments);
  if (!options.parse(line.options, CommandOptions::Words::among_options)) return exit_ok;
  const po::variables_map& values = options.values();
  if (options.words().empty()) throw UsageError("Name a function: quire submit hello -- World.");

  SubmissionOptions submission;
  submission.function = options.words().front();
  std::transform(submission.function.begin(), submission.function.end(), submission.function.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  submission.batch_size = positive(values, "batch-size");
  submission.in_flight = positive(values, "in-flight");
  submission.timeout = std::chrono::seconds(values["timeout"].as<long>());
  if (submission.timeout.count() < 0) throw UsageError("--timeout must be 0 or more seconds.");
  submission.wants_output = !values["no-output"].as<bool>();
  const ResultFormat format = result_format(values["format"].as<std::string>());
  const std::unique_ptr<TaskInput> input = open_input(line, options.words(), values);
  const Settings settings = options.settings();
  submission.servers = parse_job_servers(settings.gearman_servers);
  submission.prefix = function_prefix(settings);
  submission.start_worker = options.suggested("worker");

  const bool quiet = values["quiet"].as<bool>();
  Destination destination(values);
  const auto output = make_result_output(format, destination.stream(), terminal_width());
  Progress progress(Progress::mode_for(quiet));
  const InterruptWatch watch;
  submission.reason_to_stop = [&] {
    return InterruptWatch::came() ? "The submission was interrupted." : destination.problem();
  };
  Tally tally;
  try {
    tally = Submission(submission, *input, *output, progress).run();
  } catch (const JobServerUnreachable& error) {
    progress.say("quire submit: " + std::string(error.what()) +
                 " The option is --gearman-servers HOST:PORT.");
    return exit_unavailable;
  }
  if (tally.complete && !destination.problem().empty()) throw std::runtime_error(destination.problem());
  if (!quiet || !tally.complete)
    progress.say(summary(tally, progress.elapsed().count(), options, submission.function));
  return tally.complete && tally.failed == 0 && tally.unanswered == 0 ? exit_ok : exit_task_failed;
}

}  // namespace quire
