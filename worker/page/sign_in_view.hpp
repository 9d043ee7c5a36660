// Where a reader shows the token that lets him change something.
#pragma once

#include <string>
#include <string_view>

#include "worker/page/layout.hpp"

namespace quire::page {

// next: the path to go to afterwards. problem: why the last attempt was none; empty: there was none.
HttpResponse sign_in_view(const Visit& visit, std::string_view next, std::string_view problem);

// A path of ours to go to after signing in, and "/" for what leads elsewhere.
std::string local_path(std::string_view path);

}  // namespace quire::page
