#include "common/timestamp.hpp"

#include <algorithm>

namespace quire {

namespace {

using namespace std::chrono;

// Writes the number, with leading zeros, over the digits that end before `end`.
void put(char* end, int digits, std::int64_t number) {
  for (; digits > 0; --digits, number /= 10) *--end = static_cast<char>('0' + number % 10);
}

// Fills in the digits of "YYYY-mm-dd?HH:MM:SS.ffffff". By hand, because every task of every batch has some.
std::string fill_in(std::string text, Timestamp time) {
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  char* const begin = text.data();
  put(begin + 4, 4, static_cast<int>(date.year()));
  put(begin + 7, 2, static_cast<unsigned>(date.month()));
  put(begin + 10, 2, static_cast<unsigned>(date.day()));
  put(begin + 13, 2, clock.hours().count());
  put(begin + 16, 2, clock.minutes().count());
  put(begin + 19, 2, clock.seconds().count());
  put(begin + 26, 6, clock.subseconds().count());
  return text;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes one part after the other from the front of a text; once a part is not there, ok() is false for good.
class Scanner {
 public:
  explicit Scanner(std::string_view rest) : rest_(rest) {}

  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }

  // One of the characters, or 0.
  char one_of(std::string_view characters) {
    if (rest_.empty() || characters.find(rest_.front()) == std::string_view::npos) {
      ok_ = false;
      return 0;
    }
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  // A number of exactly so many digits.
  int number(std::size_t digits) {
    if (rest_.size() < digits || !std::all_of(rest_.begin(), rest_.begin() + digits, is_digit)) {
      ok_ = false;
      return 0;
    }
    int value = 0;
    for (const char c : rest_.substr(0, digits)) value = value * 10 + (c - '0');
    rest_.remove_prefix(digits);
    return value;
  }

  // ".25" is 250,000 microseconds; finer digits are dropped. No fraction is 0.
  microseconds fraction() {
    if (rest_.empty() || rest_.front() != '.') return microseconds(0);
    rest_.remove_prefix(1);
    const auto digits =
        static_cast<std::size_t>(std::find_if_not(rest_.begin(), rest_.end(), is_digit) - rest_.begin());
    if (digits == 0) ok_ = false;
    int value = 0;
    for (std::size_t i = 0; i < 6; ++i) value = value * 10 + (i < digits ? rest_[i] - '0' : 0);
    rest_.remove_prefix(digits);
    return microseconds(value);
  }

  // "Z", or how far the clock is ahead of UTC.
  minutes offset() {
    const char sign = one_of("Zz+-");
    if (sign != '+' && sign != '-') return minutes(0);
    const int hour = number(2);
    one_of(":");
    const int minute = number(2);
    if (hour > 23 || minute > 59) ok_ = false;
    return (sign == '-' ? -1 : 1) * (hours(hour) + minutes(minute));
  }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace

Timestamp now() { return floor<microseconds>(system_clock::now()); }

std::string iso8601(Timestamp time) { return fill_in("0000-00-00T00:00:00.000000+00:00", time); }

std::string record_time(Timestamp time) { return fill_in("0000-00-00 00:00:00.000000", time); }

std::optional<Timestamp> parse_rfc3339(std::string_view text) {
  Scanner scan(text);
  const int y = scan.number(4);
  scan.one_of("-");
  const int m = scan.number(2);
  scan.one_of("-");
  const int d = scan.number(2);
  scan.one_of("Tt ");
  const int hour = scan.number(2);
  scan.one_of(":");
  const int minute = scan.number(2);
  scan.one_of(":");
  const int second = scan.number(2);
  const microseconds fraction = scan.fraction();
  const minutes offset = scan.offset();

  const year_month_day date{year(y), month(static_cast<unsigned>(m)), day(static_cast<unsigned>(d))};
  const bool exists = date.ok() && hour <= 23 && minute <= 59 && second <= 60;
  if (!scan.ok() || !scan.at_end() || !exists) return std::nullopt;
  return sys_days(date) + hours(hour) + minutes(minute) + seconds(std::min(second, 59)) + fraction - offset;
}

}  // namespace quire
