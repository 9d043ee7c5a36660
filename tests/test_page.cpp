#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "tests/support/temporary_folder.hpp"
#include "worker/page/csv.hpp"
#include "worker/page/html.hpp"
#include "worker/page/layout.hpp"
#include "worker/page/plot.hpp"
#include "worker/page/session.hpp"
#include "worker/page/task_list.hpp"
#include "worker/page/task_view.hpp"

using namespace quire;
using namespace quire::page;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

HttpRequest request_with(std::vector<std::pair<std::string, std::string>> headers) {
  return {.method = "POST", .path = "/", .query = {}, .headers = std::move(headers), .body = {}};
}

// The session's cookie, as a browser sends it back.
std::string cookie_of(const std::string& set_cookie) { return set_cookie.substr(0, set_cookie.find(';')); }

}  // namespace

TEST_CASE("page: HTML") {
  SUBCASE("text is text, between tags and in attributes") {
    CHECK((Html() << "<td title=\""_html
                  << "\"><script>'&"s
                  << "\">"_html)
              .text() == "<td title=\"&quot;&gt;&lt;script&gt;&#39;&amp;\">");
  }
  SUBCASE("bytes that are not UTF-8 and control characters become visible and harmless") {
    CHECK((Html() << "\xff\x1b[31m\0\x7f\n\t"s).text() == "\uFFFD\u241B[31m\u2400\u2421\n\t");
  }
  SUBCASE("numbers are written as they are") { CHECK((Html() << -12).text() == "-12"); }
}

TEST_CASE("page: words for numbers and times") {
  CHECK(grouped(0) == "0");
  CHECK(grouped(999) == "999");
  CHECK(grouped(1'234'567) == "1,234,567");
  CHECK(counted(1, "task") == "1 task");
  CHECK(counted(1000, "task") == "1,000 tasks");
  CHECK(grouped(-123'456) == "-123,456");
  CHECK(duration(0.214) == "0.21 s");
  CHECK(duration(59.94) == "59.9 s");
  CHECK(duration(200) == "3 min 20 s");
  CHECK(duration(7500) == "2 h 5 min");
  CHECK(duration(-1) == "0.00 s");
  CHECK(url("/x", {{"a", "b c"}, {"empty", ""}, {"d", "&"}}) == "/x?a=b%20c&d=%26");
  CHECK(task_url("a/../b?") == "/tasks/a%2F..%2Fb%3F");
}

TEST_CASE("page: the plot") {
  std::vector<MinuteFigures> minutes(60);
  minutes[59] = {.minute = {}, .tasks = 100'000, .failed = 1};
  const std::string text = plot(minutes).text();
  SUBCASE("it says in words what it shows") {
    CHECK(text.find("aria-label=\"Tasks by the minute: 100,000 ended in the last hour, 1 of them failed, at "
                    "most 100,000 "
                    "within a minute.\"") != std::string::npos);
  }
  SUBCASE("one failure among very many is seen") {
    CHECK(text.find("<rect class=\"failed\" x=\"591\" width=\"8\" y=\"94.00\" height=\"2.00\"/>") !=
          std::string::npos);
  }
  SUBCASE("what was cancelled has not failed, and is told where there is any") {
    CHECK(text.find("cancelled") == std::string::npos);
    minutes[59] = {.minute = {}, .tasks = 100, .failed = 20, .cancelled = 30};
    const std::string some = plot(minutes).text();
    CHECK(some.find("20 of them failed, 30 cancelled, at most 100") != std::string::npos);
    CHECK(some.find("<rect class=\"cancelled\" x=\"591\" width=\"8\" y=\"48.00\" height=\"28.80\"/>") !=
          std::string::npos);
  }
  SUBCASE("there is no style in it, which the page's policy would not allow") {
    CHECK(text.find("style=") == std::string::npos);
  }
}

TEST_CASE("page: CSV") {
  TaskSummary task;
  task.id = "1";
  task.state = TaskState::done;
  task.arguments = "=1+1,\"a\"";
  CHECK(csv_line(task) == "1,done,,\"'=1+1,\"\"a\"\"\",,,,,,,0,0,,\r\n");
  CHECK(std::ranges::count(csv_header(), ',') == 13);
}

TEST_CASE("page: the token") {
  const test::TemporaryFolder folder;
  const std::string path = folder / "token";
  SUBCASE("a file that is missing is made, for its owner alone") {
    Sessions sessions(path, "quire_1");
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    std::string token = test::read_file(path);
    token.pop_back();
    CHECK(token.size() == 64);
    CHECK(sessions.sign_in("").empty());
    CHECK(sessions.sign_in(token.substr(1)).empty());
    const std::string cookie = sessions.sign_in(token);
    CHECK(cookie.starts_with("quire_1="));
    CHECK(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"));
    Sessions again(path, "quire_1");
    CHECK_FALSE(again.sign_in(token).empty());
    CHECK(again.find(request_with({{"cookie", cookie_of(cookie)}})) == nullptr);  // it was another one's
  }
  SUBCASE("a file that others can read lets nobody in, nor does a short token") {
    folder.write("token", "0123456789abcdef\n");
    std::filesystem::permissions(path, std::filesystem::perms(0644));
    CHECK(Sessions(path, "c").sign_in("0123456789abcdef").empty());
    std::filesystem::permissions(path, std::filesystem::perms(0600));
    CHECK_FALSE(Sessions(path, "c").sign_in("0123456789abcdef").empty());
    folder.write("token", "short\n");
    CHECK(Sessions(path, "c").sign_in("short").empty());
    folder.write("token", "\n");
    CHECK(Sessions(path, "c").sign_in("").empty());
  }
  SUBCASE("after many wrong tokens the right one does not count either for a while") {
    folder.write("token", "0123456789abcdef\n");
    std::filesystem::permissions(path, std::filesystem::perms(0600));
    Sessions sessions(path, "c");
    for (int i = 0; i < 20; ++i) CHECK(sessions.sign_in("wrong").empty());
    CHECK(sessions.sign_in("0123456789abcdef").empty());
  }
}

TEST_CASE("page: who may change something") {
  const test::TemporaryFolder folder;
  folder.write("token", "0123456789abcdef\n");
  std::filesystem::permissions(folder / "token", std::filesystem::perms(0600));
  Sessions sessions(folder / "token", "quire_1");
  const std::string cookie = cookie_of(sessions.sign_in("0123456789abcdef"));
  const std::string form_token = sessions.find(request_with({{"cookie", cookie}}))->form_token;
  const auto refusal = [&](std::vector<std::pair<std::string, std::string>> headers,
                           const std::string& form) {
    return sessions.refusal(request_with(std::move(headers)), form);
  };
  SUBCASE("who has signed in, with a form of ours") {
    CHECK(refusal({{"cookie", "other=1; " + cookie}}, form_token).empty());
    CHECK(refusal({{"host", "h:1"},
                   {"origin", "http://h:1"},
                   {"sec-fetch-site", "same-origin"},
                   {"cookie", cookie}},
                  form_token)
              .empty());
  }
  SUBCASE("who knows the token, with a program") {
    CHECK(refusal({{"authorization", "Bearer 0123456789abcdef"}}, "").empty());
    CHECK_FALSE(refusal({{"authorization", "Bearer 0123456789abcdeX"}}, "").empty());
  }
  SUBCASE("nobody else") {
    CHECK(refusal({}, form_token).starts_with("Sign in first"));
    CHECK(refusal({{"cookie", "quire_1=0000"}}, form_token).starts_with("Sign in first"));
    CHECK(refusal({{"cookie", "quire_2" + cookie.substr(7)}}, form_token).starts_with("Sign in first"));
    CHECK(refusal({{"cookie", cookie}}, "").starts_with("The form is not one of ours"));
    CHECK(refusal({{"cookie", cookie}}, form_token + "0").starts_with("The form is not one of ours"));
  }
  SUBCASE("no other site, even with everything it needs") {
    for (const char* site : {"cross-site", "same-site"}) {
      CHECK(refusal({{"cookie", cookie}, {"sec-fetch-site", site}}, form_token)
                .starts_with("The request comes from"));
    }
    for (const char* origin : {"http://evil.example", "null", "http://h:2", "http://h:1.evil.example"}) {
      CAPTURE(origin);
      CHECK(refusal({{"cookie", cookie}, {"host", "h:1"}, {"origin", origin}}, form_token)
                .starts_with("The request comes from"));
    }
  }
  SUBCASE("nobody once signed out") {
    sessions.sign_out(request_with({{"cookie", cookie}}));
    CHECK_FALSE(refusal({{"cookie", cookie}}, form_token).empty());
  }
}

TEST_CASE("page: the names by which it is reached") {
  for (const char* host :
       {"localhost", "LOCALHOST:80", "127.0.0.1:8080", "[::1]:8080", "10.0.0.7", "quire.example:1"}) {
    CAPTURE(host);
    CHECK(is_our_host(host, {"quire.example"}));
  }
  for (const char* host :
       {"", "evil.example", "127.0.0.1.evil.example", "quire.example.evil:80", "[::1", "2130706433"}) {
    CAPTURE(host);
    CHECK_FALSE(is_our_host(host, {"quire.example"}));
  }
}

TEST_CASE("page: filters") {
  HttpRequest request{
      .method = "GET",
      .path = "/",
      .query =
          {{"tab", "failed"}, {"q", "x"}, {"function", "f"}, {"host", "h"}, {"batch", "7"}, {"since", "24h"}},
      .headers = {},
      .body = {}};
  const Timestamp time = now();
  const TaskFilter filter = filter_of(request, time);
  CHECK(filter.states == std::set{TaskState::failed, TaskState::lost});
  CHECK(filter.text == "x");
  CHECK(filter.function == "f");
  CHECK(filter.host == "h");
  CHECK(filter.batch == 7);
  CHECK(filter.since == time - 24h);
  request.query = {{"tab", "none"}, {"batch", "x"}, {"since", "soon"}};
  CHECK(filter_of(request, time).states.empty());
  CHECK(filter_of(request, time).batch == 0);
  CHECK_FALSE(filter_of(request, time).since);
}

TEST_CASE("page: what is told of what a task writes before it is on record") {
  const HttpRequest request = request_with({});
  Session session{};
  const Visit visit{.request = request, .session = &session, .now = now()};
  TaskDetails details;
  details.task.id = "a";
  details.task.function = "f";
  details.task.state = TaskState::running;
  const auto shows = [&](std::string_view text) {
    return task_view(visit, details).body.find(text) != std::string::npos;
  };
  SUBCASE("what its process prints comes at once, the rest with the end of its batch") {
    CHECK(shows(
        "What its process prints is here as soon as there is something; what it writes through its Job"));
    CHECK(shows(">Cancel</button>"));
    details.task.process_output = "line";
    CHECK(shows("This is what its process prints; what it writes through its Job is here when its batch"));
    details.task.state = TaskState::done;
    details.task.ended = now();
    CHECK_FALSE(shows("This is what its process prints"));
  }
  SUBCASE("once it has ended for good all of it comes with the end of its batch, and nobody can cancel it") {
    details.task.reported = TaskSummary::Reported{.ended = now(), .exit_code = 130, .counts = false};
    CHECK(shows(">Cancel</button>"));
    details.task.reported->counts = true;
    CHECK(shows("What it wrote is here when its batch has ended."));
    CHECK_FALSE(shows("as soon as there is something"));
    CHECK_FALSE(shows(">Cancel</button>"));
  }
}
