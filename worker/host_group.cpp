#include "worker/host_group.hpp"

#include <spdlog/spdlog.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "worker/log.hpp"

namespace quire {
namespace {

// A second try may help where the first one was slow, on a loaded machine say; a third one hardly.
constexpr std::size_t most_too_late = 2;

}  // namespace

HostGroup::HostGroup(boost::asio::io_context& loop, Module module, int held_descriptor, Events events)
    : loop_(loop),
      module_(std::move(module)),
      held_descriptor_(held_descriptor),
      events_(std::move(events)) {}

void HostGroup::refresh(const Module& module, const Settings& settings) {
  const bool moved = module.key() != module_.key();
  module_ = module;
  if (!current_ || current_->state() != WarmHost::State::ready) return;
  const bool served_enough = settings.host_subsets > 0 && current_->served() >= settings.host_subsets;
  if (moved || served_enough || fingerprint_of(module_) != fingerprint_) retire();
}

void HostGroup::retire() {
  if (!current_) return;
  if (current_->running() == 0) current_->close();
  retired_.push_back(std::move(current_));
}

WarmHost* HostGroup::host(const std::shared_ptr<const Settings>& settings) {
  if (current_ && current_->is_dying()) retired_.push_back(std::move(current_));
  if (!current_) {
    settings_ = settings;
    fingerprint_ = fingerprint_of(module_);
    const ModuleHost::Options options{.held_descriptor = held_descriptor_, .guarded = guarded_};
    current_ = std::make_unique<WarmHost>(loop_, module_, *settings_, options, [this] { on_change(); });
    events_.started();
  }
  return current_->state() == WarmHost::State::ready ? current_.get() : nullptr;
}

void HostGroup::give_away() { retired_.push_back(std::move(current_)); }

void HostGroup::on_change() {
  std::string cannot_load;
  retired_.remove_if([](const auto& host) { return host->state() == WarmHost::State::gone; });
  if (current_ && current_->state() == WarmHost::State::ready) {
    too_late_ = 0;
    events_.loaded(current_->description());
    // That a module must not be forked is known once it is loaded: from the second time on it has its guard.
    if (current_->description().fresh && !guarded_) {
      guarded_ = true;
      const std::string& unsafe = current_->description().unsafe;
      if (!unsafe.empty()) {
        logs::host()->warn("module {}: it is loaded in a fresh process for each subset, because {}.",
                           module_.name, unsafe);
      }
      retire();
    }
  }
  if (current_ && current_->state() == WarmHost::State::gone) {
    const ModuleHost::End end = current_->end();
    current_.reset();
    events_.failed();
    too_late_ = end.too_late ? too_late_ + 1 : 0;
    if (!end.why.empty() && (!end.too_late || too_late_ >= most_too_late)) {
      logs::host()->error("module {} cannot be used: {}", module_.name, end.why);
      cannot_load = end.why;
      too_late_ = 0;
    } else if (!end.why.empty()) {
      logs::host()->warn("module {}: {} Its host is replaced by another one.", module_.name, end.why);
    }
  }
  // Not from here: the caller is the host itself.
  boost::asio::post(loop_, [this, cannot_load] {
    if (!cannot_load.empty()) events_.cannot_load(cannot_load);
    events_.changed();
  });
}

bool HostGroup::end_idle(std::chrono::seconds longest) {
  for (const auto& host : retired_) {
    if (host->running() == 0) host->close();
  }
  const bool idle = longest.count() > 0 && current_ && current_->state() == WarmHost::State::ready &&
                    current_->running() == 0 && std::chrono::steady_clock::now() - last_used_ >= longest;
  if (idle) retire();
  return current_ || !retired_.empty();
}

std::vector<int> HostGroup::pids() const {
  std::vector<int> pids;
  if (current_) pids.push_back(current_->pid());
  for (const auto& host : retired_) pids.push_back(host->pid());
  return pids;
}

std::vector<HostStatus> HostGroup::status() const {
  std::vector<HostStatus> all;
  const auto add = [&](const WarmHost& host, const char* state) {
    all.push_back({.module = module_.name,
                   .pid = host.pid(),
                   .state = state,
                   .running = host.running(),
                   .served = host.served()});
  };
  if (current_) add(*current_, current_->state() == WarmHost::State::ready ? "ready" : "loading");
  for (const auto& host : retired_) add(*host, "retired");
  return all;
}

std::string HostGroup::describe() const {
  std::string text = "module " + module_.name + ":";
  const auto add = [&](const WarmHost& host, const char* state) {
    text += " host " + std::to_string(host.pid()) + ", " + state + ", " + std::to_string(host.running()) +
            " running, " + std::to_string(host.served()) + " served;";
  };
  if (current_) add(*current_, current_->state() == WarmHost::State::ready ? "ready" : "loading");
  for (const auto& host : retired_) add(*host, "retired");
  text.pop_back();
  return text;
}

}  // namespace quire
