// What all pages have in common: the frame around them, and how they write times, states and numbers.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/timestamp.hpp"
#include "worker/http_server.hpp"
#include "worker/page/html.hpp"
#include "worker/page/session.hpp"
#include "worker/task_query.hpp"

namespace quire::page {

// What every page is told of the request that it answers.
struct Visit {
  const HttpRequest& request;
  Session* session = nullptr;  // null: nobody who has signed in
  Timestamp now = {};
};

// A whole document. here: the entry of the navigation that is this page's ("/", "/batches", "/workers").
// head: what its head has besides.
HttpResponse document(const Visit& visit, std::string_view title, std::string_view here, const Html& body,
                      unsigned status = 200, Markup head = ""_html);

// A page that says one thing, and has links to where the reader may want to go from there: URL and title.
using Links = std::vector<std::pair<std::string, std::string>>;
HttpResponse message_page(const Visit& visit, unsigned status, std::string_view title, std::string_view text,
                          const Links& links = {{"/", "All tasks"}});

// "303 See Other".
HttpResponse redirect(std::string to);

// A URL of ours: path, and the parameters that are not empty.
std::string url(std::string_view path, const std::vector<std::pair<std::string, std::string>>& parameters);
std::string task_url(const std::string& id);

// A field of a form that was sent (decode_form); empty where there is none.
std::string_view field(const std::vector<std::pair<std::string, std::string>>& form, std::string_view name);

// A button that sends a POST with the form token of the session. Nothing where nobody has signed in.
Html action(const Visit& visit, const std::string& to, Markup label_and_class,
            const std::vector<std::pair<std::string, std::string>>& fields = {});

Html state_badge(std::string_view state);

// The time of the day, and the date where it is not today's (UTC); in full for those who point at it.
Html time_of(const std::optional<Timestamp>& time, Timestamp now);

// The date, the time of the day and the zone: "2024-08-04 21:34:35 UTC".
Html full_time_of(const std::optional<Timestamp>& time);

std::string grouped(std::int64_t number);                        // "12,345"
std::string counted(std::size_t number, std::string_view noun);  // "1 task", "12,345 tasks"
std::string duration(double seconds);                            // "0.21 s", "3 min 20 s", "2 h 5 min"
std::string took(const std::optional<Timestamp>& from, const std::optional<Timestamp>& to);

}  // namespace quire::page
