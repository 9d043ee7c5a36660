#pragma once

#include <string>

#include <quire/client_script.hpp>

// The greeting in the language of argument 2. Throws std::invalid_argument when it is not known.
std::string phrase(const quire::Job& job);
