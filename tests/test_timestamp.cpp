#include "common/timestamp.hpp"

#include <doctest/doctest.h>

using namespace quire;
using namespace std::chrono;

namespace {

const Timestamp moment = sys_days(2024y / August / 4) + 21h + 44min + 55s + 661575us;

// What it reads as, or "nothing".
std::string reread(std::string_view text) {
  const std::optional<Timestamp> time = parse_rfc3339(text);
  return time ? iso8601(*time) : "nothing";
}

}  // namespace

TEST_CASE("iso8601 and record_time") {
  SUBCASE("the fraction has six digits and the offset is +00:00, always") {
    CHECK(iso8601(moment) == "2024-08-04T21:44:55.661575+00:00");
    CHECK(iso8601(sys_days(2024y / January / 1)) == "2024-01-01T00:00:00.000000+00:00");
    CHECK(iso8601(sys_days(1999y / December / 31) + 23h + 59min + 59s + 1us) ==
          "1999-12-31T23:59:59.000001+00:00");
  }
  SUBCASE("a time before 1970 is not off by one") {
    CHECK(iso8601(Timestamp(-1us)) == "1969-12-31T23:59:59.999999+00:00");
    CHECK(iso8601(sys_days(1y / January / 1)) == "0001-01-01T00:00:00.000000+00:00");
  }
  SUBCASE("the record's columns have a space and no offset") {
    CHECK(record_time(moment) == "2024-08-04 21:44:55.661575");
  }
}

TEST_CASE("now") {
  SUBCASE("it lies between two readings of the system's clock") {
    const auto before = floor<microseconds>(system_clock::now());
    const Timestamp time = now();
    const auto after = system_clock::now();
    CHECK(before <= time);
    CHECK(time <= after);
  }
}

TEST_CASE("parse_rfc3339") {
  SUBCASE("what iso8601 writes is read back") { CHECK(parse_rfc3339(iso8601(moment)) == moment); }
  SUBCASE("the fraction may be absent, short or long") {
    CHECK(reread("2024-08-04T21:34:35+00:00") == "2024-08-04T21:34:35.000000+00:00");
    CHECK(reread("2024-08-04T21:34:35.2+00:00") == "2024-08-04T21:34:35.200000+00:00");
    CHECK(reread("2024-08-04T21:34:35.1234567899Z") == "2024-08-04T21:34:35.123456+00:00");
  }
  SUBCASE("T may be small or a space, Z may be small") {
    CHECK(reread("2024-08-04t21:34:35z") == "2024-08-04T21:34:35.000000+00:00");
    CHECK(reread("2024-08-04 21:34:35Z") == "2024-08-04T21:34:35.000000+00:00");
  }
  SUBCASE("an offset is subtracted, across midnight too") {
    CHECK(reread("2024-08-04T01:34:35+05:30") == "2024-08-03T20:04:35.000000+00:00");
    CHECK(reread("2024-12-31T23:00:00-02:15") == "2025-01-01T01:15:00.000000+00:00");
    CHECK(reread("2024-08-04T21:34:35-00:00") == "2024-08-04T21:34:35.000000+00:00");
  }
  SUBCASE("a leap second counts as the one before") {
    CHECK(reread("2016-12-31T23:59:60Z") == "2016-12-31T23:59:59.000000+00:00");
  }
  SUBCASE("a leap day exists in leap years only") {
    CHECK(reread("2024-02-29T00:00:00Z") == "2024-02-29T00:00:00.000000+00:00");
    CHECK(reread("2023-02-29T00:00:00Z") == "nothing");
    CHECK(reread("1900-02-29T00:00:00Z") == "nothing");
  }
  SUBCASE("no such day or time is nothing") {
    for (const char* text :
         {"2024-13-01T00:00:00Z", "2024-00-01T00:00:00Z", "2024-04-31T00:00:00Z", "2024-04-00T00:00:00Z",
          "2024-04-01T24:00:00Z", "2024-04-01T00:60:00Z", "2024-04-01T00:00:61Z", "2024-04-01T00:00:00+24:00",
          "2024-04-01T00:00:00+00:60"}) {
      CAPTURE(text);
      CHECK(reread(text) == "nothing");
    }
  }
  SUBCASE("anything else is nothing") {
    for (const char* text :
         {"", "yesterday", "2024-08-04", "2024-08-04T21:34", "2024-08-04T21:34:35", "2024-08-04T21:34:35.Z",
          "2024-08-04T21:34:35,5Z", "2024-08-04T21:34:35+0000", "2024-08-04T21:34:35+00",
          " 2024-08-04T21:34:35Z", "2024-08-04T21:34:35Z ", "24-08-04T21:34:35Z", "2024-8-4T21:34:35Z",
          "2024/08/04T21:34:35Z", "-024-08-04T21:34:35Z", "+2024-08-04T21:34:35Z", "2024-08-04T2 :34:35Z"}) {
      CAPTURE(text);
      CHECK(reread(text) == "nothing");
    }
  }
}
