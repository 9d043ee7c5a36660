#include "json_value.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <stdexcept>
#include <system_error>
#include <type_traits>
#include <unordered_map>

#include <boost/json/basic_parser_impl.hpp>

#include "common/text.hpp"
#include "python_text.hpp"

namespace quire {
namespace {

namespace json = boost::json;

// Bytes that UTF-8 never has stand for what Boost does not read: a string that begins with the first one is
// the name of a number (NaN), four hexadecimal digits after the second one are half of a surrogate pair.
constexpr char number_mark = '\xFF';
constexpr char surrogate_mark = '\xFE';

[[noreturn]] void refuse(const std::string& what, std::size_t offset) {
  throw std::invalid_argument(what + " at byte " + std::to_string(offset));
}

// -- The text made ready for Boost

class Preparation {
 public:
  explicit Preparation(std::string_view text) : text_(text) { prepared_.reserve(text.size()); }

  std::string prepare() {
    while (at_ < text_.size()) {
      if (text_[at_] == '"')
        take_string();
      else if (!take_number_name("NaN") && !take_number_name("Infinity") && !take_number_name("-Infinity"))
        take_other();
    }
    return std::move(prepared_);
  }

 private:
  std::string_view rest() const { return text_.substr(at_); }

  void take(std::size_t size) {
    prepared_ += text_.substr(at_, size);
    at_ += std::min(size, text_.size() - at_);
  }

  bool take_number_name(std::string_view name) {
    if (!rest().starts_with(name)) return false;
    prepared_ += '"';
    prepared_ += number_mark;
    prepared_ += name;
    prepared_ += '"';
    at_ += name.size();
    return true;
  }

  // An exponent beyond what a number can have says the same with six digits, as Boost can read it.
  void take_other() {
    const bool in_number = at_ > 0 && text_[at_ - 1] >= '0' && text_[at_ - 1] <= '9';
    const bool exponent = in_number && (text_[at_] == 'e' || text_[at_] == 'E');
    take(1);
    if (!exponent) return;
    if (rest().starts_with('+') || rest().starts_with('-')) take(1);
    const std::size_t digits = std::min(rest().find_first_not_of("0123456789"), rest().size());
    const std::string_view number = rest().substr(0, digits);
    const std::string_view significant =
        number.substr(std::min(number.find_first_not_of('0'), number.size()));
    if (significant.size() > 6) {
      prepared_ += "999999";
      at_ += digits;
    } else {
      take(digits);
    }
  }

  void take_string() {
    take(1);
    while (at_ < text_.size()) {
      if (text_[at_] == '"') return take(1);
      if (text_[at_] == '\\')
        take_escape();
      else
        take(std::min(rest().find_first_of("\"\\"), rest().size()));
    }
  }

  void take_escape() {
    const unsigned first = unicode_escape(rest());
    if ((first & 0xF800) != 0xD800) return take(2);  // no surrogate; its digits are like any text
    const unsigned second = (first & 0xFC00) == 0xD800 ? unicode_escape(rest().substr(6)) : 0;
    if ((second & 0xFC00) == 0xDC00) return take(12);
    prepared_ += surrogate_mark;
    prepared_ += text_.substr(at_ + 2, 4);
    at_ += 6;
  }

  // The number of \uNNNN at the front of the text; 0 where there is none.
  static unsigned unicode_escape(std::string_view text) {
    unsigned number = 0;
    if (text.size() < 6 || text[0] != '\\' || text[1] != 'u') return 0;
    const auto [end, error] = std::from_chars(text.data() + 2, text.data() + 6, number, 16);
    return error == std::errc() && end == text.data() + 6 ? number : 0;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string prepared_;
};

std::u32string read_string(std::string_view bytes) {
  std::u32string text;
  while (true) {
    const std::size_t mark = bytes.find(surrogate_mark);
    text += code_points(bytes.substr(0, mark));
    if (mark == bytes.npos) return text;
    unsigned surrogate = 0;
    std::from_chars(bytes.data() + mark + 1, bytes.data() + mark + 5, surrogate, 16);
    text += static_cast<char32_t>(surrogate);
    bytes.remove_prefix(mark + 5);
  }
}

JsonValue read_number_name(std::string_view name) {
  if (name == "NaN") return {std::numeric_limits<double>::quiet_NaN()};
  return {name.front() == '-' ? -std::numeric_limits<double>::infinity()
                              : std::numeric_limits<double>::infinity()};
}

JsonValue read_double(const std::string& text) {
  double number = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec == std::errc()) return {number};
  return {std::strtod(text.c_str(), nullptr)};  // infinity and zero where the exponent is too large or small
}

JsonValue read_integer(const std::string& text) {
  constexpr std::size_t most_digits = 4300;
  if (text.size() - (text.front() == '-' ? 1 : 0) > most_digits)
    throw std::invalid_argument("an integer has more than 4300 digits");
  return {JsonInteger{text == "-0" ? "0" : text}};
}

// -- The tree

// What Boost's parser calls: containers that are not complete yet stand on a stack.
class Builder {
 public:
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = max_object_size;
  static constexpr std::size_t max_key_size = max_object_size;
  static constexpr std::size_t max_string_size = max_object_size;

  using Error = json::error_code;

  bool on_document_begin(Error&) { return true; }
  bool on_document_end(Error&) { return true; }
  bool on_object_begin(Error&) { return open({JsonObject{}}); }
  bool on_object_end(std::size_t, Error&) { return close(); }
  bool on_array_begin(Error&) { return open({JsonList{}}); }
  bool on_array_end(std::size_t, Error&) { return close(); }
  bool on_key_part(std::string_view part, std::size_t, Error&) { return keep(part); }
  bool on_key(std::string_view part, std::size_t, Error&) {
    keep(part);
    if (text_.starts_with(number_mark)) throw std::invalid_argument("the key of an object is not a string");
    open_.back().key = read_string(std::exchange(text_, {}));
    return true;
  }
  bool on_string_part(std::string_view part, std::size_t, Error&) { return keep(part); }
  bool on_string(std::string_view part, std::size_t, Error&) {
    keep(part);
    const std::string text = std::exchange(text_, {});
    return add(text.starts_with(number_mark) ? read_number_name(text.substr(1))
                                             : JsonValue{read_string(text)});
  }
  bool on_number_part(std::string_view part, Error&) { return keep(part); }
  bool on_int64(std::int64_t, std::string_view part, Error&) { return add_number(part); }
  bool on_uint64(std::uint64_t, std::string_view part, Error&) { return add_number(part); }
  bool on_double(double, std::string_view part, Error&) { return add_number(part); }
  bool on_bool(bool value, Error&) { return add({value}); }
  bool on_null(Error&) { return add({JsonNull{}}); }
  bool on_comment_part(std::string_view, Error&) { return true; }
  bool on_comment(std::string_view, Error&) { return true; }

  JsonValue root;

 private:
  struct Container {
    JsonValue value;
    std::u32string key;                                      // whose value comes next
    std::unordered_map<std::u32string, std::size_t> places;  // of the keys of an object
  };

  bool keep(std::string_view part) {
    text_ += part;
    return true;
  }
  // An integer is what has neither a fraction nor an exponent, however large it is.
  bool add_number(std::string_view part) {
    keep(part);
    const std::string text = std::exchange(text_, {});
    return add(text.find_first_of(".eE") == text.npos ? read_integer(text) : read_double(text));
  }
  bool open(JsonValue container) {
    open_.push_back({std::move(container), {}, {}});
    return true;
  }
  bool close() {
    JsonValue complete = std::move(open_.back().value);
    open_.pop_back();
    return add(std::move(complete));
  }
  bool add(JsonValue value) {
    if (open_.empty()) {
      root = std::move(value);
      return true;
    }
    Container& container = open_.back();
    if (auto* const list = std::get_if<JsonList>(&container.value.value)) {
      list->push_back(std::move(value));
      return true;
    }
    auto& object = std::get<JsonObject>(container.value.value);
    const auto [place, is_new] = container.places.emplace(container.key, object.size());
    if (is_new)
      object.emplace_back(std::move(container.key), std::move(value));
    else
      object[place->second].second = std::move(value);
    return true;
  }

  std::vector<Container> open_;
  std::string text_;
};

// What show() says of each item, with commas, between brackets.
template <typename Items, typename Show>
std::string display_all(const char* brackets, const Items& items, Show&& show) {
  std::string text(1, brackets[0]);
  for (const auto& item : items) {
    if (text.size() > 1) text += ", ";
    text += show(item);
  }
  return text += brackets[1];
}

}  // namespace

JsonValue read_json(std::string_view text) {
  if (!is_utf8(text)) throw std::invalid_argument("the text is not UTF-8");
  const std::string prepared = Preparation(text).prepare();
  json::parse_options options;
  options.max_depth = 980;  // Python gives up near 1000
  options.allow_invalid_utf8 = true;
  json::basic_parser<Builder> parser(options);
  json::error_code error;
  const std::size_t size = parser.write_some(false, prepared.data(), prepared.size(), error);
  if (error) refuse("it is not JSON: " + error.message(), size);
  if (size != prepared.size()) refuse("it is not JSON: there is more after the end", size);
  return std::move(parser.handler().root);
}

std::string display(const JsonValue& value) {
  return std::visit(
      [](const auto& held) -> std::string {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, JsonNull>) {
          return "None";
        } else if constexpr (std::is_same_v<Held, bool>) {
          return held ? "True" : "False";
        } else if constexpr (std::is_same_v<Held, JsonInteger>) {
          return held.digits;
        } else if constexpr (std::is_same_v<Held, JsonList>) {
          return display_all("[]", held, [](const JsonValue& item) { return display(item); });
        } else if constexpr (std::is_same_v<Held, JsonObject>) {
          return display_all("{}", held, [](const auto& item) {
            std::string text = display(item.first);
            return text.append(": ").append(display(item.second));
          });
        } else {
          return display(held);
        }
      },
      value.value);
}

}  // namespace quire
