#include "worker/warm_host.hpp"

#include <algorithm>
#include <csignal>

#include <spdlog/spdlog.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "worker/log.hpp"

namespace quire {

using host_protocol::HostMessage;
using host_protocol::WorkerMessage;

namespace {

// A host does nothing but fork and reap, so one that does not answer for so long never will.
constexpr auto answer_limit = std::chrono::seconds(60);

}  // namespace

// Shared with what the loop has queued already when the host goes.
struct WarmHost::AnswerTimer {
  explicit AnswerTimer(boost::asio::io_context& loop) : timer(loop) {}
  boost::asio::steady_timer timer;
  bool runs = false;
};

WarmHost::WarmHost(boost::asio::io_context& loop, const Module& module, const Settings& settings,
                   const ModuleHost::Options& options, std::function<void()> changed)
    : changed_(std::move(changed)),
      answer_timer_(std::make_shared<AnswerTimer>(loop)),
      host_(loop, module, settings, options,
            {.ready =
                 [this](const host_protocol::Ready& ready) {
                   description_ = ready;
                   state_ = State::ready;
                   changed_();
                 },
             .subset = [this](const HostMessage& message) { on_message(message); },
             .gone = [this](const ModuleHost::End& end) { on_gone(end); }}) {}

WarmHost::~WarmHost() = default;

void WarmHost::run(std::shared_ptr<Subset> subset, std::function<void(SubsetEnd)> ended) {
  const std::uint64_t number = subset->number();
  WorkerMessage message;
  message.kind = description_.fresh ? WorkerMessage::Kind::run : WorkerMessage::Kind::call;
  message.subset = number;
  ++served_;
  running_.emplace(number, Running{subset, std::move(ended), Clock::now()});
  const bool sent = host_.send(message, subset->descriptors_to_send());
  subset->descriptors_sent();
  if (!sent) {
    dying_ = true;
    finish(number, {.how = SubsetEnd::How::not_started, .reason = "its host process did not take it."});
  } else if (!answer_timer_->runs) {
    check_answers_later();
  }
}

void WarmHost::signal(const Subset& subset, int number) {
  if (description_.fresh) return host_.signal(number);  // the host has become the subset
  WorkerMessage message;
  message.kind = WorkerMessage::Kind::signal;
  message.subset = subset.number();
  message.signal = number;
  host_.send(message);
}

void WarmHost::on_message(const HostMessage& message) {
  const auto found = running_.find(message.subset);
  if (found == running_.end()) return;
  switch (message.kind) {
    case HostMessage::Kind::started:
      found->second.subset->started(message.pid);
      break;
    case HostMessage::Kind::refused:
      finish(message.subset, {.how = SubsetEnd::How::not_started,
                              .reason = "no process could be started: " + message.text,
                              .for_want_of_resources = true});
      break;
    case HostMessage::Kind::ended:
      finish(message.subset, {.status = message.by_signal ? ExitStatus::signalled(message.number)
                                                          : ExitStatus::exited(message.number)});
      break;
    default:
      break;
  }
}

void WarmHost::on_gone(const ModuleHost::End& end) {
  const bool became_subset = state_ == State::ready && description_.fresh;
  state_ = State::gone;
  end_ = end;
  answer_timer_->timer.cancel();
  while (!running_.empty()) {
    const auto& [number, running] = *running_.begin();
    SubsetEnd how{.how = became_subset ? SubsetEnd::How::ended : SubsetEnd::How::host_gone,
                  .status = end.status};
    if (!became_subset && !running.subset->has_begun()) {
      how = {.how = SubsetEnd::How::not_started,
             .reason = "its host process " + end.status.describe() + " before it had started it."};
    }
    finish(number, how);
  }
  const auto changed = changed_;
  changed();
}

void WarmHost::finish(std::uint64_t number, const SubsetEnd& how) {
  const auto node = running_.extract(number);
  if (!node.empty()) node.mapped().ended(how);
}

void WarmHost::check_answers_later() {
  const auto unanswered =
      std::ranges::find_if(running_, [](const auto& entry) { return entry.second.subset->pid() == 0; });
  answer_timer_->runs = unanswered != running_.end();
  if (!answer_timer_->runs) return;
  answer_timer_->timer.expires_at(unanswered->second.sent + answer_limit);
  answer_timer_->timer.async_wait(
      [this, host = std::weak_ptr(answer_timer_)](boost::system::error_code error) {
        if (error || host.expired()) return;
        const bool stuck = std::ranges::any_of(running_, [](const auto& entry) {
          return entry.second.subset->pid() == 0 && Clock::now() - entry.second.sent >= answer_limit;
        });
        if (!stuck) return check_answers_later();
        logs::host()->error(
            "host (pid {}): it has not answered for {} s; it is ended, and another one takes its work", pid(),
            answer_limit.count());
        host_.signal(SIGKILL);
      });
}

}  // namespace quire
