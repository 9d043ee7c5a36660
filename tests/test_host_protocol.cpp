#include "worker/host/host_protocol.hpp"

#include <doctest/doctest.h>

namespace quire::host_protocol {

TEST_CASE("host protocol: control messages") {
  SUBCASE("what a host says comes back as it was said") {
    HostMessage ready{
        .kind = HostMessage::Kind::ready,
        .ready = {.interface = 1, .concurrent_instances = 4, .independent = true, .fresh = false}};
    CHECK(encode(ready) == "ready interface=1 concurrent_instances=4 independent=1 fresh=0");
    const auto back = decode_host_message(encode(ready));
    REQUIRE(back);
    CHECK(back->ready.concurrent_instances == 4);
    CHECK(back->ready.independent);
    CHECK_FALSE(back->ready.fresh);

    ready.ready.fresh = true;
    ready.ready.unsafe = "2 threads ran when it had been loaded";
    const std::string told = encode(ready);
    CHECK(told.ends_with(" fresh=1 2 threads ran when it had been loaded"));
    CHECK(decode_host_message(told)->ready.unsafe == ready.ready.unsafe);

    const auto ended = decode_host_message("ended 7 signalled 11");
    REQUIRE(ended);
    CHECK(ended->subset == 7);
    CHECK(ended->by_signal);
    CHECK(ended->number == 11);
    CHECK(encode(*ended) == "ended 7 signalled 11");

    const auto failed = decode_host_message("failed No module named 'x'\n  second line");
    REQUIRE(failed);
    CHECK(failed->text == "No module named 'x'\n  second line");
  }
  SUBCASE("what the worker says comes back as it was said") {
    const auto signal = decode_worker_message("signal 3 15");
    REQUIRE(signal);
    CHECK(signal->kind == WorkerMessage::Kind::signal);
    CHECK(signal->signal == 15);
    CHECK(encode(*signal) == "signal 3 15");
    CHECK(encode(*decode_worker_message("call 18446744073709551615")) == "call 18446744073709551615");
  }
  SUBCASE("anything else is not a message") {
    for (const char* packet :
         {"", "ready", "ready interface=1", "ready interface=1 concurrent_instances=-1 independent=0 fresh=0",
          "ready interface=1 concurrent_instances=1 independent=0 fresh=0 a reason", "started 1",
          "started x 5", "ended 1 vanished 3", "ended 1 exited", "ended 1 exited 3 4", "hello 1",
          "started 99999999999999999999 1"}) {
      CAPTURE(packet);
      CHECK_FALSE(decode_host_message(packet));
    }
    for (const char* packet : {"", "call", "call x", "call 1 2", "signal 1", "signal 1 x", "stop 1"}) {
      CAPTURE(packet);
      CHECK_FALSE(decode_worker_message(packet));
    }
  }
}

TEST_CASE("host protocol: ledger") {
  const Nonce nonce{'n', 'o', 'n', 'c', 'e'};
  std::string ledger;
  const SubsetLimits limits{.memory = std::uint64_t{5} << 40, .open_files = 1024, .output = 4096};
  append_call(ledger, nonce, limits, "copy_v0.0", 2);
  append_job(ledger, true, "id-1", {"a b", "", std::string("\0\xff", 2)});
  append_job(ledger, false, "id-2", {});
  const std::size_t head_size = ledger.size();
  append_ended(ledger, 1, -3, 1234567, std::string("out\0put", 7), "error");
  append_returned(ledger);

  SUBCASE("the head comes back with its size, whatever follows it") {
    std::size_t size = 0;
    const auto head = decode_head(ledger, size);
    REQUIRE(head);
    CHECK(size == head_size);
    CHECK(head->nonce == nonce);
    CHECK(head->limits == limits);
    CHECK(head->function == "copy_v0.0");
    REQUIRE(head->jobs.size() == 2);
    CHECK(head->jobs[0].arguments == std::vector<std::string>{"a b", "", std::string("\0\xff", 2)});
    CHECK_FALSE(head->jobs[1].capture_output);
  }
  SUBCASE("the entries come back in order") {
    bool clean = false;
    const auto entries = decode_entries(std::string_view(ledger).substr(head_size), clean);
    CHECK(clean);
    REQUIRE(entries.size() == 2);
    CHECK(entries[0].kind == 'E');
    CHECK(entries[0].job == 1);
    CHECK(entries[0].exit_code == -3);
    CHECK(entries[0].microseconds == 1234567);
    CHECK(entries[0].output == std::string("out\0put", 7));
    CHECK(entries[1].kind == 'R');
  }
  SUBCASE("what a script has counted comes behind its end") {
    append_metric(ledger, std::string("counter\0a", 9));
    bool clean = false;
    const auto entries = decode_entries(std::string_view(ledger).substr(head_size), clean);
    CHECK(clean);
    REQUIRE(entries.size() == 3);
    CHECK(entries[2].kind == 'M');
    CHECK(entries[2].text == std::string("counter\0a", 9));
  }
  SUBCASE("a head that is cut off anywhere is no head") {
    std::size_t size = 0;
    for (std::size_t length = 0; length < head_size; ++length) {
      CHECK_FALSE(decode_head(std::string_view(ledger).substr(0, length), size));
    }
  }
  SUBCASE("entries before the place where a process died stand") {
    const std::string_view entries = std::string_view(ledger).substr(head_size);
    for (std::size_t length = 0; length <= entries.size(); ++length) {
      bool clean = true;
      const auto read = decode_entries(entries.substr(0, length), clean);
      const std::size_t first = entries.size() - 5;  // 'R' takes five bytes
      CHECK(read.size() == (length == entries.size() ? 2U : length >= first ? 1U : 0U));
      CHECK(clean == (length == 0 || length == first || length == entries.size()));
    }
  }
  // A process that dies leaves the room that it had not filled.
  SUBCASE("zeros after the last frame are its end") {
    bool clean = false;
    const std::string entries = ledger.substr(head_size) + std::string(100, '\0');
    CHECK(decode_entries(entries, clean).size() == 2);
    CHECK(clean);
  }
  SUBCASE("garbage is noticed and never read past its end") {
    bool clean = true;
    CHECK(decode_entries(std::string("\xff\xff\xff\xff garbage"), clean).empty());
    CHECK_FALSE(clean);
    clean = true;
    CHECK(decode_entries(std::string("\x01\x00\x00\x00Q", 5), clean).empty());
    CHECK_FALSE(clean);
  }
}

}  // namespace quire::host_protocol
