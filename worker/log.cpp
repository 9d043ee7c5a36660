#include "worker/log.hpp"

#include <chrono>
#include <mutex>
#include <utility>

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include "worker/log_line.hpp"
#include "worker/log_output.hpp"

namespace quire::logs {
namespace {

thread_local const About* innermost = nullptr;

// In the order of `rooms`.
enum class Room { batch, gearman, host, record, web, worker };

std::string_view view(const spdlog::string_view_t& text) { return {text.data(), text.size()}; }

// All rooms write through this one, so that their lines keep their order.
class Sink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  void change(Form form, Output output) {
    const std::lock_guard lock(mutex_);
    form_ = form;
    output_ = std::move(output);
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    Event event{.time = std::chrono::time_point_cast<std::chrono::microseconds>(message.time),
                .level = view(spdlog::level::to_string_view(message.level)),
                .room = view(message.logger_name),
                .message = view(message.payload)};
    if (innermost != nullptr) {
      event.job = innermost->job;
      event.function = innermost->function;
      event.task = innermost->task;
    }
    output_.write(line(event));
  }
  void flush_() override {}  // nothing is held back

 private:
  std::string line(const Event& event) const {
    switch (form_) {
      case Form::text:
        break;
      case Form::json:
        return json_line(event);
      case Form::bare:
        return bare_line(event);
    }
    return text_line(event);
  }

  Form form_ = Form::text;
  Output output_;
};

// Never destroyed: threads may write until the very end of the process.
struct Rooms {
  Rooms() {
    for (std::size_t i = 0; i < rooms.size(); ++i) {
      loggers[i] = std::make_shared<spdlog::logger>(std::string(rooms[i]), sink);
    }
  }

  const std::shared_ptr<Sink> sink = std::make_shared<Sink>();
  std::array<Logger, rooms.size()> loggers;
};

Rooms& all() {
  static Rooms& only = *new Rooms;
  return only;
}

const Logger& room(Room number) { return all().loggers[static_cast<std::size_t>(number)]; }

}  // namespace

const Logger& batch() { return room(Room::batch); }
const Logger& gearman() { return room(Room::gearman); }
const Logger& host() { return room(Room::host); }
const Logger& record() { return room(Room::record); }
const Logger& web() { return room(Room::web); }
const Logger& worker() { return room(Room::worker); }

void set_up(const Options& options) {
  all().sink->change(options.form, options.file.empty() ? Output() : Output(options.file));
  for (const Logger& logger : all().loggers) {
    const auto own = options.levels.find(logger->name());
    logger->set_level(spdlog::level::from_str(own == options.levels.end() ? options.level : own->second));
  }
}

About::About(std::string_view about_job, std::string_view about_function, std::string_view about_task)
    : job(about_job), function(about_function), task(about_task), outer_(innermost) {
  innermost = this;
}

About::~About() { innermost = outer_; }

}  // namespace quire::logs
