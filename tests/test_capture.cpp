#include "worker/capture.hpp"

#include <doctest/doctest.h>

namespace quire {

namespace {

const host_protocol::Nonce nonce{'a', 'a', 'b', 'a', 'a', 'c', 'a', 'a',
                                 'b', 'a', 'a', 'd', 'a', 'a', 'b', 'e'};

std::string marker(std::uint32_t job) { return host_protocol::encode_marker(nonce, job); }

}  // namespace

TEST_CASE("capture") {
  const std::string stream = "import" + marker(0) + "zero" + marker(1) + marker(host_protocol::no_job) +
                             "between" + marker(1) + std::string("o\0ne", 4) + marker(0) + " again" +
                             marker(7) + "nobody's";

  SUBCASE("the text of each job is its own, however the stream is cut into pieces") {
    for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
      CapturedText text(nonce, 2);
      for (std::size_t at = 0; at < stream.size(); at += piece)
        text.feed(std::string_view(stream).substr(at, piece));
      text.finish();
      CAPTURE(piece);
      CHECK(text.of_job(0).text() == "zero again");
      CHECK(text.of_job(1).text() == std::string("o\0ne", 4));
      CHECK(text.outside() == "importbetweennobody's");
    }
  }
  SUBCASE("text that only begins like a marker is kept") {
    CapturedText text(nonce, 1);
    text.feed(marker(0) + "xaabaac");
    text.finish();
    CHECK(text.of_job(0).text() == "xaabaac");
  }
  SUBCASE("the last marker tells the job that was being worked on") {
    CapturedText text(nonce, 2);
    CHECK(text.current_job() == host_protocol::no_job);
    text.feed(marker(1));
    CHECK(text.current_job() == 1);
    text.feed(marker(host_protocol::no_job));
    CHECK(text.current_job() == host_protocol::no_job);
  }
}

}  // namespace quire
