#include "worker/script_metrics.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <spdlog/fmt/fmt.h>

#include "common/text.hpp"
#include "worker/metrics.hpp"

namespace quire {
namespace {

// A label with an id in it would otherwise take all memory in time.
constexpr std::size_t most_samples = 10'000;

std::vector<std::string_view> fields_of(std::string_view text) {
  std::vector<std::string_view> fields;
  for (;;) {
    const std::size_t end = text.find('\0');
    fields.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return fields;
    text.remove_prefix(end + 1);
  }
}

bool is_name(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == ':';
  };
  return !text.empty() && !(text.front() >= '0' && text.front() <= '9') && std::ranges::all_of(text, fits);
}

bool is_type(std::string_view text) {
  return text == "counter" || text == "gauge" || text == "histogram" || text == "summary";
}

std::string one_line(std::string_view help) {
  std::string text;
  for (const char c : to_utf8(help)) {
    if (c == '\\') text += '\\';
    if (c == '\n')
      text += "\\n";
    else
      text += c;
  }
  return text;
}

}  // namespace

bool ScriptMetrics::add(std::string_view sample) noexcept try { return take(sample, true); } catch (...) {
  return false;  // no memory: it is not counted
}

bool ScriptMetrics::know(std::string_view sample) noexcept try { return take(sample, false); } catch (...) {
  return false;
}

bool ScriptMetrics::take(std::string_view sample, bool counts) {
  const std::vector<std::string_view> fields = fields_of(sample);
  if (fields.size() < (counts ? 5 : 3) || fields.size() % 2 == 0) return false;
  const std::string_view type = fields[0];
  const std::string_view name = fields[1];
  if (!is_type(type) || !is_name(name)) return false;
  const std::lock_guard lock(mutex_);
  auto family = families_.find(name);
  if (family != families_.end() && family->second.type != type) return false;
  const auto make_family = [&] {
    if (family != families_.end()) return;
    family = families_.try_emplace(std::string(name)).first;
    family->second.type = type;
    family->second.help = one_line(fields[2]);
  };
  if (fields.size() == 3) {
    if (families_.size() >= most_samples) return false;
    make_family();
    return true;
  }
  const std::string_view sample_name = fields[3];
  if (!is_name(sample_name)) return false;
  if (sample_name != name && !sample_name.starts_with(std::string(name) + "_")) return false;
  double value = 0;
  const std::string_view number = fields[4];
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (error != std::errc() || end != number.data() + number.size()) return false;
  if (type != "gauge" && !std::isfinite(value)) return false;

  std::string text;
  for (std::size_t i = 5; i < fields.size(); i += 2) {
    if (!is_name(fields[i])) return false;
    text += (text.empty() ? "{" : ",") + metric_label(fields[i], fields[i + 1]);
  }
  if (!text.empty()) text += '}';
  text.insert(0, sample_name);

  if (family == families_.end() || !family->second.places.contains(text)) {
    if (count_ >= most_samples) return false;
    make_family();
    family->second.samples.push_back({.text = text});
    family->second.places.emplace(text, family->second.samples.size() - 1);
    ++count_;
  }
  if (!counts) return true;
  double& known = family->second.samples[family->second.places.find(text)->second].value;
  known = type == "gauge" ? value : known + value;
  return true;
}

void ScriptMetrics::append_exposition(std::string& text) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [name, family] : families_) {
    const std::string type_line = "# TYPE " + name + " ";
    if (text.find(type_line) != std::string::npos) continue;
    text += "# HELP " + name + " " + family.help + "\n" + type_line + family.type + "\n";
    for (const Sample& sample : family.samples)
      fmt::format_to(std::back_inserter(text), "{} {}\n", sample.text, sample.value);
  }
}

}  // namespace quire
