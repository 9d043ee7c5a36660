#include "worker/warm_host.hpp"

namespace quire {

using host_protocol::HostMessage;
using host_protocol::WorkerMessage;

WarmHost::WarmHost(boost::asio::io_context& loop, const Module& module, const Settings& settings,
                   std::function<void()> changed)
    : changed_(std::move(changed)),
      host_(loop, module, settings,
            {.ready =
                 [this](const host_protocol::Ready& ready) {
                   description_ = ready;
                   state_ = State::ready;
                   changed_();
                 },
             .subset = [this](const HostMessage& message) { on_message(message); },
             .gone = [this](ExitStatus status, const std::string& why) { on_gone(status, why); }}) {}

void WarmHost::run(std::shared_ptr<Subset> subset, std::function<void(SubsetEnd)> ended) {
  const std::uint64_t number = subset->number();
  WorkerMessage message;
  message.kind = description_.fresh ? WorkerMessage::Kind::run : WorkerMessage::Kind::call;
  message.subset = number;
  ++served_;
  running_.emplace(number, Running{subset, std::move(ended)});
  const bool sent = host_.send(message, subset->descriptors_to_send());
  subset->descriptors_sent();
  if (!sent) {
    end(number, {.how = SubsetEnd::How::not_started, .reason = "its host process did not take it."});
  }
}

void WarmHost::on_message(const HostMessage& message) {
  const auto found = running_.find(message.subset);
  if (found == running_.end()) return;
  switch (message.kind) {
    case HostMessage::Kind::started:
      found->second.subset->started(message.pid);
      break;
    case HostMessage::Kind::refused:
      end(message.subset, {.how = SubsetEnd::How::not_started,
                           .reason = "no process could be started: " + message.text + "."});
      break;
    case HostMessage::Kind::ended:
      end(message.subset, {.status = message.by_signal ? ExitStatus::signalled(message.number)
                                                       : ExitStatus::exited(message.number)});
      break;
    default:
      break;
  }
}

void WarmHost::on_gone(ExitStatus status, const std::string& why) {
  const bool became_subset = state_ == State::ready && description_.fresh;
  state_ = State::gone;
  reason_ = why;
  while (!running_.empty()) {
    end(running_.begin()->first,
        {.how = became_subset ? SubsetEnd::How::ended : SubsetEnd::How::host_gone, .status = status});
  }
  const auto changed = changed_;
  changed();
}

void WarmHost::end(std::uint64_t number, const SubsetEnd& how) {
  const auto node = running_.extract(number);
  if (!node.empty()) node.mapped().ended(how);
}

}  // namespace quire
