#include "phrase.hpp"

#include <stdexcept>

std::string phrase(const quire::Job& job) {
  const std::string& language = job.arg(2);
  if (language == "en") return "Good morning,";
  if (language == "de") return "Guten Morgen,";
  throw std::invalid_argument("greet does not speak \"" + language + "\".");
}
