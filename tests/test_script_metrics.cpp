#include "worker/script_metrics.hpp"

#include <doctest/doctest.h>

#include "worker/metrics.hpp"

using namespace quire;

namespace {

std::string sample(std::initializer_list<std::string> fields) {
  std::string text;
  for (const std::string& field : fields) text += (text.empty() ? "" : std::string(1, '\0')) + field;
  return text;
}

std::string exposed(const ScriptMetrics& metrics, std::string before = "") {
  metrics.append_exposition(before);
  return before;
}

}  // namespace

TEST_CASE("script metrics") {
  ScriptMetrics metrics;

  SUBCASE("counters add up, gauges are replaced") {
    for (const char* value : {"1.0", "2"}) {
      CHECK(metrics.add(sample({"counter", "sips_total", "SIPs", "sips_total", value, "kind", "a\"b"})));
      CHECK(metrics.add(sample({"gauge", "last", "The last\none", "last", value})));
    }
    CHECK(exposed(metrics) ==
          "# HELP last The last\\none\n# TYPE last gauge\nlast 2\n"
          "# HELP sips_total SIPs\n# TYPE sips_total counter\nsips_total{kind=\"a\\\"b\"} 3\n");
  }
  SUBCASE("what is known is there as 0, and loses nothing by being told of again") {
    CHECK(metrics.know(sample({"counter", "sips_total", "SIPs", "sips_total", "0.0"})));
    CHECK(metrics.know(sample({"counter", "dips_total", "DIPs"})));
    CHECK(metrics.know(sample({"gauge", "last", "", "last", "7.0"})));
    CHECK(exposed(metrics) ==
          "# HELP dips_total DIPs\n# TYPE dips_total counter\n# HELP last \n# TYPE last gauge\nlast 0\n"
          "# HELP sips_total SIPs\n# TYPE sips_total counter\nsips_total 0\n");
    CHECK(metrics.add(sample({"counter", "sips_total", "SIPs", "sips_total", "2"})));
    CHECK(metrics.add(sample({"counter", "dips_total", "DIPs", "dips_total", "3", "kind", "a"})));
    CHECK(metrics.know(sample({"counter", "sips_total", "SIPs", "sips_total", "0.0"})));
    CHECK(metrics.know(sample({"counter", "dips_total", "DIPs"})));
    CHECK(exposed(metrics).find("sips_total 2\n") != std::string::npos);
    CHECK(exposed(metrics).find("dips_total{kind=\"a\"} 3\n") != std::string::npos);
    CHECK_FALSE(metrics.know(sample({"gauge", "sips_total", "SIPs"})));
    CHECK_FALSE(metrics.know(sample({"counter", "a"})));
    CHECK_FALSE(metrics.add(sample({"counter", "a", "A"})));
  }
  SUBCASE("a histogram keeps the order of its buckets") {
    for (const char* bound : {"5.0", "10.0", "+Inf"})
      CHECK(metrics.add(sample({"histogram", "size", "Bytes", "size_bucket", "1.0", "le", bound})));
    CHECK(exposed(metrics) ==
          "# HELP size Bytes\n# TYPE size histogram\nsize_bucket{le=\"5.0\"} 1\nsize_bucket{le=\"10.0\"} 1\n"
          "size_bucket{le=\"+Inf\"} 1\n");
  }
  SUBCASE("what Prometheus could not read is left out") {
    CHECK_FALSE(metrics.add(""));
    CHECK_FALSE(metrics.add(sample({"counter", "a", "", "a"})));
    CHECK_FALSE(metrics.add(sample({"counter", "a", "", "a", "1", "label"})));
    CHECK_FALSE(metrics.add(sample({"info", "a", "", "a", "1"})));
    CHECK_FALSE(metrics.add(sample({"counter", "a b", "", "a b", "1"})));
    CHECK_FALSE(metrics.add(sample({"counter", "1a", "", "1a", "1"})));
    CHECK_FALSE(metrics.add(sample({"counter", "a", "", "b", "1"})));
    CHECK_FALSE(metrics.add(sample({"counter", "a", "", "a", "1 2"})));
    CHECK_FALSE(metrics.add(sample({"counter", "a", "", "a", "nan"})));
    CHECK_FALSE(metrics.add(sample({"counter", "a", "", "a", "1", "a\n", "b"})));
    CHECK(exposed(metrics).empty());
  }
  SUBCASE("a family has one type, and is never one of the worker's own") {
    CHECK(metrics.add(sample({"counter", "a", "", "a", "1"})));
    CHECK_FALSE(metrics.add(sample({"gauge", "a", "", "a", "1"})));
    CHECK(exposed(metrics, "# TYPE a gauge\na 7\n") == "# TYPE a gauge\na 7\n");
    Metrics all("mcpclient_");
    CHECK(
        all.script_metrics().add(sample({"counter", "mcpclient_job_total", "", "mcpclient_job_total", "1"})));
    CHECK(all.script_metrics().add(sample({"counter", "aips_total", "", "aips_total", "1"})));
    const std::string text = all.exposition({});
    CHECK(text.find("mcpclient_job_total 1") == std::string::npos);
    CHECK(text.find("\naips_total 1\n") != std::string::npos);
  }
  SUBCASE("there is an end to samples") {
    std::size_t taken = 0;
    for (int i = 0; i < 10'100; ++i)
      taken += metrics.add(sample({"counter", "a", "", "a", "1", "id", std::to_string(i)}));
    CHECK(taken == 10'000);
    CHECK(metrics.add(sample({"counter", "a", "", "a", "1", "id", "5"})));
  }
}
