#include "worker/page/session.hpp"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>
#include <boost/asio/ip/address.hpp>

#include "worker/host/descriptor.hpp"
#include "worker/log.hpp"

namespace quire::page {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto session_time = std::chrono::hours(12);
constexpr std::size_t most_sessions = 100;

// So many wrong tokens in a minute, and no right one counts until it is over.
constexpr int most_wrong = 20;

constexpr std::size_t shortest_token = 16;

std::string random_text() {
  std::array<unsigned char, 32> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    throw std::system_error(errno, std::generic_category(), "getrandom");
  std::string text;
  for (const unsigned char byte : bytes) fmt::format_to(std::back_inserter(text), "{:02x}", byte);
  return text;
}

bool equal(std::string_view one, std::string_view other) {
  return one.size() == other.size() && ::CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

[[noreturn]] void fail(const std::string& path, const char* what) {
  throw std::runtime_error(path + " cannot be " + what + ": " + std::generic_category().message(errno) + ".");
}

std::string make_token(const std::string& path) {
  const std::string token = random_text();
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file) fail(path, "made");
  const std::string line = token + "\n";
  if (::write(file.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    fail(path, "written");
  logs::web()->info("page: the token that whoever changes anything must know is in {}", path);
  return token;
}

std::string read_token(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno == ENOENT) return make_token(path);
  if (!file) fail(path, "read");
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail(path, "read");
  if ((status.st_mode & 077) != 0)
    throw std::runtime_error(path + " can be read by others than its owner: chmod 600 " + path + ".");
  std::array<char, 512> buffer{};
  const ssize_t size = ::read(file.get(), buffer.data(), buffer.size());
  if (size < 0) fail(path, "read");
  std::string token(buffer.data(), static_cast<std::size_t>(size));
  token.resize(token.find_last_not_of(" \t\r\n") + 1);
  if (token.size() < shortest_token) {
    throw std::runtime_error(path + " has a token of less than " + std::to_string(shortest_token) +
                             " characters: write a longer one, or remove the file to have one made.");
  }
  return token;
}

std::string_view cookie_value(std::string_view cookies, std::string_view name) {
  while (!cookies.empty()) {
    const std::size_t end = std::min(cookies.find(';'), cookies.size());
    std::string_view item = cookies.substr(0, end);
    item.remove_prefix(std::min(item.find_first_not_of(' '), item.size()));
    if (item.starts_with(name) && item.substr(name.size()).starts_with('='))
      return item.substr(name.size() + 1);
    cookies.remove_prefix(std::min(end + 1, cookies.size()));
  }
  return {};
}

}  // namespace

Sessions::Sessions(std::string token_file, std::string cookie) : cookie_(std::move(cookie)) {
  try {
    token_ = read_token(token_file);
  } catch (const std::exception& error) {
    logs::web()->error("page: nobody can change anything: {} (page_token)", error.what());
  }
}

bool Sessions::is_token(std::string_view text) {
  const auto now = Clock::now();
  if (now - wrong_since_ > std::chrono::minutes(1)) {
    wrong_since_ = now;
    wrong_ = 0;
  }
  if (token_.empty() || wrong_ >= most_wrong) return false;
  if (equal(text, token_)) return true;
  if (++wrong_ == most_wrong) logs::web()->warn("page: too many wrong tokens; none counts for a minute");
  return false;
}

std::string Sessions::sign_in(std::string_view token) {
  if (!is_token(token)) return {};
  std::erase_if(sessions_,
                [](const auto& entry) { return Clock::now() - entry.second.last_used > session_time; });
  if (sessions_.size() >= most_sessions) {
    sessions_.erase(
        std::ranges::min_element(sessions_, {}, [](const auto& entry) { return entry.second.last_used; }));
  }
  const std::string id = random_text();
  sessions_[id] = {.form_token = random_text(), .last_used = Clock::now(), .notice = {}};
  return cookie_ + "=" + id + "; Path=/; HttpOnly; SameSite=Strict";
}

void Sessions::sign_out(const HttpRequest& request) {
  const auto found = sessions_.find(cookie_value(request.header("cookie"), cookie_));
  if (found != sessions_.end()) sessions_.erase(found);
}

Session* Sessions::find(const HttpRequest& request) {
  const auto found = sessions_.find(cookie_value(request.header("cookie"), cookie_));
  if (found == sessions_.end() || Clock::now() - found->second.last_used > session_time) return nullptr;
  found->second.last_used = Clock::now();
  return &found->second;
}

std::string Sessions::refusal(const HttpRequest& request, std::string_view form_token) {
  if (is_cross_site(request)) return "The request comes from another site.";
  constexpr std::string_view bearer = "Bearer ";
  if (const std::string_view given = request.header("authorization"); given.starts_with(bearer))
    return is_token(given.substr(bearer.size()))
               ? ""
               : "The token is not the one in the file that page_token names.";
  const Session* const session = find(request);
  if (session == nullptr) return "Sign in first: changing anything needs the token.";
  if (!equal(form_token, session->form_token))
    return "The form is not one of ours, or is too old: load the page again.";
  return {};
}

bool is_our_host(std::string_view host, const std::vector<std::string>& names) {
  std::string name(host.substr(0, host.starts_with('[') ? host.find(']') + 1 : host.rfind(':')));
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  if (name == "localhost" || std::ranges::find(names, name) != names.end()) return true;
  if (name.size() > 2 && name.front() == '[') name = name.substr(1, name.size() - 2);
  boost::system::error_code error;
  boost::asio::ip::make_address(name, error);
  return !error;
}

bool is_cross_site(const HttpRequest& request) {
  const std::string_view site = request.header("sec-fetch-site");
  if (!site.empty() && site != "same-origin" && site != "none") return true;
  const std::string_view origin = request.header("origin");
  if (origin.empty()) return false;
  const std::string host(request.header("host"));
  return origin != "http://" + host && origin != "https://" + host;
}

}  // namespace quire::page
