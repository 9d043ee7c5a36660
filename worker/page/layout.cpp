#include "worker/page/layout.hpp"

#include <spdlog/fmt/fmt.h>

namespace quire::page {
namespace {

struct Place {
  const char* path;
  const char* name;
};
constexpr Place places[] = {{"/", "Tasks"}, {"/batches", "Batches"}, {"/workers", "Workers"}};

Html navigation(const Visit& visit, std::string_view here) {
  Html html;
  html << "<header class=\"top\"><a class=\"skip\" href=\"#main\">Skip to the content</a>"
          "<a class=\"brand\" href=\"/\"><svg viewBox=\"0 0 24 24\" aria-hidden=\"true\">"
          "<path d=\"M3 5.5 12 8v12L3 17.5zM21 5.5 12 8v12l9-2.5z\"/></svg>Quire</a>"
          "<nav aria-label=\"Main\"><ul>"_html;
  for (const Place& place : places) {
    html << "<li><a href=\""_html << std::string_view(place.path) << "\""_html;
    if (here == place.path) html << " aria-current=\"page\""_html;
    html << ">"_html << std::string_view(place.name) << "</a></li>"_html;
  }
  html << "</ul></nav><div class=\"who\"><span id=\"live\"></span>"_html;
  if (visit.session != nullptr) {
    html
        << "<form method=\"post\" action=\"/sign-out\"><input type=\"hidden\" name=\"form_token\" value=\""_html
        << visit.session->form_token << "\"><button class=\"quiet\">Sign out</button></form>"_html;
  } else {
    html << "<a class=\"quiet\" href=\""_html << url("/sign-in", {{"next", visit.request.path}})
         << "\">Sign in</a>"_html;
  }
  return html << "</div></header>"_html;
}

}  // namespace

HttpResponse document(const Visit& visit, std::string_view title, std::string_view here, const Html& body,
                      unsigned status, Markup head) {
  Html html;
  html << "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>"_html << title
       << " · Quire</title><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
          "<meta name=\"color-scheme\" content=\"light dark\"><link rel=\"stylesheet\" href=\"/style.css\">"
          "<link rel=\"icon\" href=\"/icon.svg\"><script src=\"/script.js\" defer></script>"_html
       << head << "</head><body>"_html << navigation(visit, here)
       << "<main id=\"main\" tabindex=\"-1\">"_html;
  if (visit.session != nullptr && !visit.session->notice.empty()) {
    html << "<p class=\"notice\" role=\"status\" id=\"notice\">"_html << visit.session->notice << "</p>"_html;
    visit.session->notice.clear();
  }
  html << body << "</main></body></html>\n"_html;
  return {.status = status, .type = "text/html; charset=utf-8", .body = html.text()};
}

HttpResponse message_page(const Visit& visit, unsigned status, std::string_view title, std::string_view text,
                          const Links& links) {
  Html html;
  html << "<h1>"_html << title << "</h1><p>"_html << text << "</p><p class=\"below\">"_html;
  for (const auto& [address, name] : links)
    html << "<a href=\""_html << address << "\">"_html << name << "</a> "_html;
  html << "</p>"_html;
  return document(visit, title, "", html, status);
}

HttpResponse redirect(std::string to) {
  return {.status = 303, .body = "", .headers = {{"Location", std::move(to)}}};
}

std::string url(std::string_view path, const std::vector<std::pair<std::string, std::string>>& parameters) {
  std::string text(path);
  char before = '?';
  for (const auto& [name, value] : parameters) {
    if (value.empty()) continue;
    text += before + name + "=" + encode_url(value);
    before = '&';
  }
  return text;
}

std::string task_url(const std::string& id) { return "/tasks/" + encode_url(id); }

std::string_view field(const std::vector<std::pair<std::string, std::string>>& form, std::string_view name) {
  for (const auto& [key, value] : form) {
    if (key == name) return value;
  }
  return {};
}

Html action(const Visit& visit, const std::string& to, Markup button,
            const std::vector<std::pair<std::string, std::string>>& fields) {
  Html html;
  if (visit.session == nullptr) return html;
  html << "<form method=\"post\" action=\""_html << to
       << "\"><input type=\"hidden\" name=\"form_token\" value=\""_html << visit.session->form_token
       << "\">"_html;
  for (const auto& [name, value] : fields)
    html << "<input type=\"hidden\" name=\""_html << name << "\" value=\""_html << value << "\">"_html;
  return html << button << "</form>"_html;
}

Html state_badge(std::string_view state) {
  return Html() << "<span class=\"state "_html << state << "\">"_html << state << "</span>"_html;
}

Html time_of(const std::optional<Timestamp>& time, Timestamp now) {
  Html html;
  if (!time) return html << "<span class=\"none\">–</span>"_html;
  const std::string full = record_time(*time);
  const bool today = full.substr(0, 10) == record_time(now).substr(0, 10);
  html << "<time datetime=\""_html << iso8601(*time) << "\" title=\""_html << full << " UTC\">"_html;
  if (!today) html << full.substr(0, 10) << " "_html;
  return html << full.substr(11, 8) << "</time>"_html;
}

Html full_time_of(const std::optional<Timestamp>& time) {
  Html html;
  if (!time) return html << "<span class=\"none\">–</span>"_html;
  const std::string full = record_time(*time);
  return html << "<time datetime=\""_html << iso8601(*time) << "\" title=\""_html << full << " UTC\">"_html
              << full.substr(0, 19) << " UTC</time>"_html;
}

std::string counted(std::size_t number, std::string_view noun) {
  return grouped(static_cast<std::int64_t>(number)) + " " + std::string(noun) + (number == 1 ? "" : "s");
}

std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > (number < 0 ? 1 : 0); at -= 3)
    digits.insert(static_cast<std::size_t>(at), 1, ',');
  return digits;
}

std::string duration(double seconds) {
  if (seconds < 0) seconds = 0;
  if (seconds < 10) return fmt::format("{:.2f} s", seconds);
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::int64_t>(seconds);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  if (whole < 86'400) return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
  return fmt::format("{} d {} h", whole / 86'400, whole % 86'400 / 3600);
}

std::string took(const std::optional<Timestamp>& from, const std::optional<Timestamp>& to) {
  if (!from || !to) return "–";
  return duration(std::chrono::duration<double>(*to - *from).count());
}

}  // namespace quire::page
