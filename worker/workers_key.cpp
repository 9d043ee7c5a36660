#include "worker/workers_key.hpp"

#include <array>
#include <cstdio>
#include <stdexcept>

#include <openssl/evp.h>

namespace quire {
namespace {

std::string md5(const std::string& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_md5(), nullptr) != 1) {
    throw std::runtime_error("OpenSSL cannot make an MD5, which AtoM's workers_key needs.");
  }
  std::string digits;
  for (unsigned i = 0; i < size; ++i) {
    std::array<char, 3> two;
    std::snprintf(two.data(), two.size(), "%02x", digest[i]);
    digits += two.data();
  }
  return digits;
}

// As AtoM has it: absolute, and without a slash at its end.
std::string site_root(std::string folder) {
  while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  if (folder.starts_with('/')) return folder;
  throw ConfigurationError("workers_key_root: \"" + folder +
                           "\" is not an absolute path; name the site's root folder as AtoM has it.");
}

}  // namespace

FunctionPrefix function_prefix(const Settings& settings) {
  const std::string& key = settings.workers_key;
  if (!settings.workers_key_root.empty()) {
    return FunctionPrefix(md5(site_root(settings.workers_key_root) + key) + "-");
  }
  if (key.empty()) return {};
  // No dash, since that ends the key: "a" and "a-b" could otherwise mean the same function.
  constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._";
  if (key.find_first_not_of(allowed) != key.npos || key.size() > 64) {
    throw ConfigurationError(
        "workers_key: \"" + key +
        "\" cannot stand before a function's name; use up to 64 letters, digits, dots and _.");
  }
  return FunctionPrefix(key + "-");
}

}  // namespace quire
