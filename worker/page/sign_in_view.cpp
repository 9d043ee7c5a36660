#include "worker/page/sign_in_view.hpp"

namespace quire::page {

std::string local_path(std::string_view path) {
  const bool is_local = path.starts_with('/') && !path.starts_with("//") && path.find('\\') == path.npos;
  std::string local(is_local ? path : "/");
  for (const char c : local) {
    if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f) return "/";
  }
  return local;
}

HttpResponse sign_in_view(const Visit& visit, std::string_view next, std::string_view problem) {
  Html html;
  html
      << "<h1>Sign in</h1><p>Reading needs no token. Whoever cancels tasks, runs them again or "
         "deletes them must know the one in the file that the setting <code>page_token</code> names.</p>"_html;
  if (!problem.empty()) html << "<p class=\"problem\" role=\"alert\">"_html << problem << "</p>"_html;
  html
      << "<form class=\"sign-in\" method=\"post\" action=\"/sign-in\"><input type=\"hidden\" name=\"next\" value=\""_html
      << next
      << "\"><label>Token<input type=\"password\" name=\"token\" required autofocus "
         "autocomplete=\"current-password\"></label><button class=\"primary\">Sign in</button></form>"_html;
  return document(visit, "Sign in", "", html, problem.empty() ? 200 : 403);
}

}  // namespace quire::page
