// Who may change something on the page: the token, those who have signed in with it, and what a request must
// have so that no other site can have sent it.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include "worker/http_server.hpp"

namespace quire::page {

// Somebody who has signed in.
struct Session {
  std::string form_token;  // every form of theirs has it
  std::chrono::steady_clock::time_point last_used{};
  std::string notice;  // to be told on the next page they see
};

// Used by one thread.
class Sessions {
 public:
  // token_file: read; made with a token of its own (mode 0600) where it is missing. A file that cannot be
  // used, or that others than its owner can read, is told in the log, and nobody can sign in. cookie: its
  // name; pages on other ports of this host must have other ones.
  Sessions(std::string token_file, std::string cookie);

  // The value for the header Set-Cookie; empty when the token is wrong, or too many wrong ones came lately.
  std::string sign_in(std::string_view token);
  void sign_out(const HttpRequest& request);

  // Null: the request comes from nobody who has signed in.
  Session* find(const HttpRequest& request);

  // Why a request to change something is refused, as a sentence; empty when it is not. It must come from our
  // own page, by somebody who has signed in and with the token of their forms; or with the header
  // "Authorization: Bearer TOKEN", which no other site can make a browser send.
  std::string refusal(const HttpRequest& request, std::string_view form_token);

 private:
  bool is_token(std::string_view text);

  std::string token_;  // empty: nobody can sign in
  const std::string cookie_;
  std::map<std::string, Session, std::less<>> sessions_;
  std::chrono::steady_clock::time_point wrong_since_{};
  int wrong_ = 0;
};

// Whether the header Host names us by an IP address, as localhost, or by one of the names. A page of another
// site whose name was made to lead to our address (DNS rebinding) cannot.
bool is_our_host(std::string_view host, const std::vector<std::string>& names);

// Whether a browser says that another site has sent the request.
bool is_cross_site(const HttpRequest& request);

}  // namespace quire::page
