// Commands that a user is told to call next.
#pragma once

#include <string>
#include <string_view>

namespace quire {

// "`quire scripts check --config /etc/quire/site1.conf hello`". options: those with which the user has said
// which site is meant, each after a space, so that the next command looks at the same one; CommandOptions has
// them.
std::string suggested(std::string_view options, std::string_view command, std::string_view words = {});

// One word as a shell reads it: in single quotes where it needs them.
std::string shell_word(std::string_view word);

}  // namespace quire
