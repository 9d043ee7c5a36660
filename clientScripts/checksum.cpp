// checksum — the checksum of a file, printed as sha256sum and its kin print it.
//
//   arg 1   md5, sha1, sha256 or sha512; may be left out: sha256
//   arg 2   the file
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <quire/client_script.hpp>

namespace {

constexpr std::size_t block_size = 1 << 20;

const EVP_MD* find_algorithm(std::string_view name) {
  if (name == "md5") return EVP_md5();
  if (name == "sha1") return EVP_sha1();
  if (name == "sha256") return EVP_sha256();
  if (name == "sha512") return EVP_sha512();
  throw std::runtime_error("checksum: there is no algorithm \"" + std::string(name) +
                           "\"; use md5, sha1, sha256 or sha512.");
}

// OpenSSL's functions return 1 when they could do it; an algorithm may be forbidden on a machine.
void require(int done) {
  if (done == 1) return;
  std::array<char, 256> reason{};
  ERR_error_string_n(ERR_get_error(), reason.data(), reason.size());
  throw std::runtime_error(std::string("checksum: OpenSSL refuses: ") + reason.data() + ".");
}

std::string hex(const unsigned char* bytes, std::size_t size) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < size; ++i) {
    text += digits[bytes[i] >> 4];
    text += digits[bytes[i] & 15];
  }
  return text;
}

// Throws std::runtime_error with a sentence that names the path and the system's reason.
std::string digest(const std::string& path, const EVP_MD* algorithm) {
  const auto cannot_read = [&path] {
    return std::runtime_error("checksum: cannot read " + path + ": " + std::strerror(errno) + ".");
  };
  if (path.find('\0') != path.npos) {
    errno = EINVAL;  // the system would open what is before the zero byte
    throw cannot_read();
  }
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  if (!file) throw cannot_read();
  std::setvbuf(file.get(), nullptr, _IONBF, 0);  // the blocks are large enough

  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  require(context != nullptr);
  require(EVP_DigestInit_ex(context.get(), algorithm, nullptr));
  static std::vector<unsigned char> block(block_size);
  while (std::feof(file.get()) == 0) {
    const std::size_t size = std::fread(block.data(), 1, block.size(), file.get());
    if (std::ferror(file.get()) != 0) throw cannot_read();
    require(EVP_DigestUpdate(context.get(), block.data(), size));
  }

  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int size = 0;
  require(EVP_DigestFinal_ex(context.get(), bytes.data(), &size));
  return hex(bytes.data(), size);
}

// The line of sha256sum and its kin, which `sha256sum --check` reads: a name that would break the line is
// escaped, and a backslash at the head of the line says so.
std::string checksum_line(const std::string& checksum, const std::string& path) {
  std::string name;
  for (const char c : path) {
    if (c == '\\')
      name += "\\\\";
    else if (c == '\n')
      name += "\\n";
    else if (c == '\r')
      name += "\\r";
    else
      name += c;
  }
  return (name == path ? "" : "\\") + checksum + "  " + name + "\n";
}

void checksum(quire::Job& job) {
  const std::size_t arguments = job.args().size() - 1;
  if (arguments < 1 || arguments > 2) {
    throw std::runtime_error("checksum: give a file, or an algorithm and a file, not " +
                             std::to_string(arguments) + " arguments.");
  }
  const EVP_MD* algorithm = find_algorithm(arguments == 2 ? job.arg(1) : "sha256");
  const std::string& path = job.args().back();
  job.write_output(checksum_line(digest(path, algorithm), path));
}

}  // namespace

void call(quire::Jobs jobs) { quire::for_each_job(jobs, checksum); }

int concurrent_instances() { return static_cast<int>(std::max(1U, std::thread::hardware_concurrency())); }

bool independent_jobs() { return true; }
