#include "worker/health/gearmand_facts.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <unistd.h>

#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>

namespace quire {
namespace {

namespace fs = std::filesystem;

constexpr std::uint16_t default_port = 4730;

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// The words of a process, as it was started.
std::vector<std::string> command_line(const fs::path& process) {
  std::vector<std::string> words;
  std::istringstream text(read(process / "cmdline"));
  for (std::string word; std::getline(text, word, '\0');) words.push_back(word);
  return words;
}

template <typename Number>
Number number_of(const std::string& text, Number otherwise) {
  Number number = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// Calls `use` with every option by its long name and its value.
template <typename Use>
void for_each_option(const std::vector<std::string>& words, Use use) {
  static const std::pair<char, const char*> names[] = {
      {'q', "queue-type"}, {'j', "job-retries"}, {'p', "port"}, {'R', "round-robin"}};
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const auto next = [&] { return i + 1 < words.size() ? words[i + 1] : std::string(); };
    if (word.starts_with("--")) {
      const auto equals = word.find('=');
      use(word.substr(2, equals == std::string::npos ? equals : equals - 2),
          equals == std::string::npos ? next() : word.substr(equals + 1));
    } else if (word.size() > 1 && word[0] == '-') {
      for (const auto& [letter, name] : names) {
        if (word[1] == letter) use(name, word.size() > 2 ? word.substr(2) : next());
      }
    }
  }
}

bool is_gearmand(const std::vector<std::string>& words) {
  return !words.empty() && fs::path(words[0]).filename() == "gearmand";
}

// Debian's file is a shell's: PARAMS="words".
std::optional<GearmandFacts> facts_of_debian_file(std::uint16_t port) {
  std::string text;
  for (std::string line : lines_of(read(gearmand_parameters_file))) {
    if (line.starts_with("#")) continue;
    if (line.ends_with('\\')) line.back() = ' ';
    text += line;
  }
  const auto begin = text.find("PARAMS=\"");
  if (begin == std::string::npos) return std::nullopt;
  const auto words_begin = begin + std::strlen("PARAMS=\"");
  std::istringstream stream(text.substr(words_begin, text.find('"', words_begin) - words_begin));
  const std::vector<std::string> words{std::istream_iterator<std::string>(stream), {}};
  std::optional<std::uint16_t> own_port;
  GearmandFacts facts = facts_of_words(words, own_port);
  if (own_port.value_or(default_port) != port) return std::nullopt;
  facts.source = gearmand_parameters_file;
  return facts;
}

}  // namespace

GearmandFacts facts_of_words(const std::vector<std::string>& words, std::optional<std::uint16_t>& port) {
  GearmandFacts facts;
  std::string config = gearmand_file;
  for_each_option(words, [&](const std::string& name, const std::string& value) {
    if (name == "config-file") config = value;
  });
  // The file has command-line words, too, a line each; the command line wins.
  const std::vector<std::string> in_file = lines_of(read(config));
  for (const std::vector<std::string>* source : {&in_file, &words}) {
    for_each_option(*source, [&](const std::string& name, const std::string& value) {
      if (name == "queue-type") facts.queue = value;
      if (name == "job-retries") facts.retries = number_of<std::size_t>(value, 0);
      if (name == "round-robin") facts.round_robin = true;
      if (name == "port") port = number_of<std::uint16_t>(value, default_port);
    });
  }
  return facts;
}

bool is_on_this_host(const JobServer& server) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(server.host.c_str(), nullptr, &hints, &found) != 0) return false;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return false;
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> interfaces(all, &::freeifaddrs);
  for (const addrinfo* address = addresses.get(); address != nullptr; address = address->ai_next) {
    for (const ifaddrs* each = interfaces.get(); each != nullptr; each = each->ifa_next) {
      if (each->ifa_addr == nullptr || each->ifa_addr->sa_family != address->ai_family) continue;
      if (address->ai_family == AF_INET) {
        const in_addr a = reinterpret_cast<const sockaddr_in*>(address->ai_addr)->sin_addr;
        const in_addr b = reinterpret_cast<const sockaddr_in*>(each->ifa_addr)->sin_addr;
        // All of 127.0.0.0/8 is this host.
        if (a.s_addr == b.s_addr || (ntohl(a.s_addr) >> 24) == 127) return true;
      } else if (address->ai_family == AF_INET6 &&
                 std::memcmp(&reinterpret_cast<const sockaddr_in6*>(address->ai_addr)->sin6_addr,
                             &reinterpret_cast<const sockaddr_in6*>(each->ifa_addr)->sin6_addr,
                             sizeof(in6_addr)) == 0) {
        return true;
      }
    }
  }
  return false;
}

std::optional<GearmandFacts> gearmand_facts(const JobServer& server) {
  if (!is_on_this_host(server)) return std::nullopt;
  std::error_code error;
  for (const auto& process : fs::directory_iterator("/proc", error)) {
    const std::vector<std::string> words = command_line(process.path());
    if (!is_gearmand(words)) continue;
    std::optional<std::uint16_t> port;
    GearmandFacts facts = facts_of_words(words, port);
    if (port.value_or(default_port) != server.port) continue;
    facts.source = "process " + process.path().filename().string();
    return facts;
  }
  return facts_of_debian_file(server.port);
}

// "  0: 00000000:127A 00000000:0000 0A …": address and port in hexadecimal digits, 0A is listening.
bool listens_everywhere(const std::string& table, std::uint16_t port) {
  for (const std::string& line : lines_of(table)) {
    std::istringstream fields(line);
    std::string number;
    std::string local;
    std::string remote;
    std::string state;
    if (!(fields >> number >> local >> remote >> state) || state != "0A") continue;
    const auto colon = local.find(':');
    if (colon == std::string::npos) continue;
    std::uint16_t found = 0;
    std::from_chars(local.data() + colon + 1, local.data() + local.size(), found, 16);
    if (found == port && local.find_first_not_of('0') == colon) return true;
  }
  return false;
}

bool listens_everywhere(std::uint16_t port) {
  return listens_everywhere(read("/proc/net/tcp"), port) || listens_everywhere(read("/proc/net/tcp6"), port);
}

}  // namespace quire
