#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include <doctest/doctest.h>

#include "worker/host/descriptor.hpp"
#include "worker/host/host_protocol.hpp"
#include "worker/host/ledger_writer.hpp"

using namespace quire;
using host_protocol::LedgerEntry;

namespace {

std::string text_of(int descriptor) {
  struct stat status {};
  REQUIRE(::fstat(descriptor, &status) == 0);
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  REQUIRE(::pread(descriptor, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size()));
  return text;
}

std::string ended(std::uint32_t job, const std::string& output) {
  std::string frame;
  host_protocol::append_ended(frame, job, 0, 0, output, "");
  return frame;
}

}  // namespace

TEST_CASE("ledger_writer") {
  const Descriptor file(::memfd_create("ledger", MFD_CLOEXEC));
  REQUIRE(file);
  const std::string head(5000, 'h');  // not a multiple of a page
  REQUIRE(::write(file.get(), head.data(), head.size()) == 5000);
  LedgerWriter writer(file.get(), head.size());

  // Checks that outputs of these sizes, and nothing else, stand after the head.
  const auto check = [&](const std::vector<std::size_t>& sizes) {
    const std::string text = text_of(file.get());
    CHECK(text.starts_with(head));
    bool clean = false;
    const std::vector<LedgerEntry> entries =
        host_protocol::decode_entries(std::string_view(text).substr(head.size()), clean);
    CHECK(clean);
    REQUIRE(entries.size() == sizes.size());
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      CHECK(entries[i].job == i);
      CHECK(entries[i].output == std::string(sizes[i], static_cast<char>('a' + i % 26)));
    }
  };
  const auto write = [&](const std::vector<std::size_t>& sizes) {
    for (std::size_t i = 0; i < sizes.size(); ++i)
      writer.append(
          ended(static_cast<std::uint32_t>(i), std::string(sizes[i], static_cast<char>('a' + i % 26))));
  };

  SUBCASE("small frames, beyond what is mapped at once") {
    const std::vector<std::size_t> sizes(5000, 20);
    write(sizes);
    check(sizes);
  }
  SUBCASE("large ones among small ones") {
    const std::vector<std::size_t> sizes{0, 10, 200'000, 3, 65'536, 32'700, 32'800, 1, 3'000'000, 0};
    write(sizes);
    check(sizes);
  }
  SUBCASE("a process that is killed leaves whole frames") {
    const pid_t child = ::fork();
    if (child == 0) {
      write({7, 100'000, 7});
      ::kill(::getpid(), SIGKILL);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
    check({7, 100'000, 7});
  }
  SUBCASE("what a signal handler appends comes behind it, and what cannot be read leaves all as it was") {
    writer.append(ended(0, "aaa"));
    const std::string text(100'000, 'b');
    const std::uint32_t job = 1;
    const auto size = static_cast<std::uint32_t>(text.size());
    const std::uint32_t none = 0;
    const auto bytes = [](const std::uint32_t& number) {
      return std::string_view(reinterpret_cast<const char*>(&number), sizeof number);
    };
    std::vector<std::string_view> parts = {"P", bytes(job), bytes(size), text, bytes(none)};
    const std::string_view nowhere(static_cast<const char*>(nullptr) + 16, size);
    writer.append_from_handler(
        std::vector<std::string_view>{"P", bytes(job), bytes(size), nowhere, bytes(none)});
    writer.append_from_handler(parts);
    writer.append(ended(2, "ccc"));
    const std::string all = text_of(file.get());
    bool clean = false;
    const std::vector<LedgerEntry> entries =
        host_protocol::decode_entries(std::string_view(all).substr(head.size()), clean);
    CHECK(clean);
    REQUIRE(entries.size() == 3);
    CHECK(entries[1].kind == 'P');
    CHECK(entries[1].job == 1);
    CHECK(entries[1].output == text);
    CHECK(entries[2].output == "ccc");
  }
  SUBCASE("without memory to map it is written") {
    const pid_t child = ::fork();
    if (child == 0) {
      const rlimit none{1, 1};
      ::setrlimit(RLIMIT_AS, &none);
      const std::string frame = ended(0, std::string(7, 'a'));
      writer.append(frame);
      ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    check({7});
  }
}
