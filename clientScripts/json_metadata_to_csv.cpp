// json_metadata_to_csv — writes the CSV that a JSON file of metadata stands for, beside it.
//
//   arg 1   the SIP's UUID; not used
//   arg 2   the JSON file, a list of objects: an object is a row, a key a column; when it does not exist,
//   nothing
//           is done
//
// A list of values takes as many columns of its key, side by side, as the longest one of any row needs.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <quire/client_script.hpp>

#include "file_system.hpp"
#include "json_value.hpp"
#include "python_text.hpp"

namespace {

using namespace quire;

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

std::string read_file(const std::string& path) {
  const File file(std::fopen(native(path, "cannot read"), "rbe"), &std::fclose);
  if (!file) throw FileError(errno, "cannot read", path);
  std::string content;
  std::vector<char> block(1 << 20);
  while (std::feof(file.get()) == 0) {
    const std::size_t size = std::fread(block.data(), 1, block.size(), file.get());
    if (std::ferror(file.get()) != 0) throw FileError(errno, "cannot read", path);
    content.append(block.data(), size);
  }
  return content;
}

// The extension, which begins with the last dot of the name but not with one at its front, replaced by .csv.
std::string csv_path(const std::string& path) {
  const std::size_t name = path.rfind('/') + 1;
  const std::size_t first = path.find_first_not_of('.', name);
  const std::size_t dot = path.rfind('.');
  const bool has_extension = dot != path.npos && first != path.npos && dot > first;
  return path.substr(0, has_extension ? dot : path.npos) + ".csv";
}

// -- The table

// The objects of the list. Throws std::runtime_error where it is something else. An empty object or string
// has nothing in it, as a list without objects has.
std::vector<const JsonObject*> records(const JsonValue& top, const std::string& path) {
  const bool empty = (top.object() != nullptr && top.object()->empty()) ||
                     (top.string() != nullptr && top.string()->empty());
  if (empty) return {};
  std::vector<const JsonObject*> found;
  if (top.list() != nullptr)
    std::ranges::transform(*top.list(), std::back_inserter(found),
                           [](const JsonValue& item) { return item.object(); });
  if (top.list() == nullptr || std::ranges::count(found, nullptr) > 0)
    throw std::runtime_error("cannot make a table of " + path + ": it is not a list of objects.");
  return found;
}

struct Column {
  std::u32string key;
  std::size_t width = 1;
};

std::vector<Column> columns(const std::vector<const JsonObject*>& rows) {
  std::map<std::u32string, std::size_t> widths;
  for (const JsonObject* row : rows) {
    for (const auto& [key, value] : *row) {
      std::size_t& width = widths.emplace(key, 1).first->second;
      if (value.list() != nullptr) width = std::max(width, value.list()->size());
    }
  }
  std::vector<Column> sorted;
  for (const auto& [key, width] : widths) sorted.push_back({key, width});
  for (const char32_t* key : {U"filename", U"parts"}) {
    const auto found = std::ranges::find(sorted, key, &Column::key);
    if (found == sorted.end()) continue;
    std::rotate(sorted.begin(), found, found + 1);
    break;
  }
  return sorted;
}

// Throws std::invalid_argument where it has no UTF-8.
std::string field(const JsonValue& value) {
  if (value.is_null()) return "";
  return value.string() != nullptr ? encode_utf8(*value.string()) : display(value);
}

std::string line(const std::vector<std::string>& fields) {
  if (fields.size() == 1 && fields.front().empty()) return "\"\"\r\n";
  std::string text;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) text += ',';
    if (fields[i].find_first_of(",\"\r\n") == std::string::npos) {
      text += fields[i];
      continue;
    }
    text += '"';
    for (const char c : fields[i]) text.append(c == '"' ? 2 : 1, c);
    text += '"';
  }
  return text + "\r\n";
}

std::string header(const std::vector<Column>& columns) {
  std::vector<std::string> fields;
  for (const Column& column : columns) fields.insert(fields.end(), column.width, encode_utf8(column.key));
  return line(fields);
}

std::string record(const std::vector<Column>& columns, const JsonObject& row) {
  std::map<std::u32string_view, const JsonValue*> values;
  for (const auto& [key, value] : row) values[key] = &value;
  std::vector<std::string> fields;
  for (const Column& column : columns) {
    const std::size_t first = fields.size();
    const auto found = values.find(column.key);
    if (found != values.end()) {
      if (const JsonList* const list = found->second->list())
        std::ranges::transform(*list, std::back_inserter(fields), field);
      else
        fields.push_back(field(*found->second));
    }
    fields.resize(first + column.width);
  }
  return line(fields);
}

// What there is of the table: all of it, or what comes before the first line that cannot be written, and why.
struct Table {
  std::string text;
  std::string error;
};

Table make_table(const JsonValue& top, const std::string& path) {
  Table table;
  try {
    const auto rows = records(top, path);
    const auto head = columns(rows);
    table.text += header(head);
    for (const JsonObject* row : rows) table.text += record(head, *row);
  } catch (const std::invalid_argument& error) {
    table.error = "cannot write " + path + " as CSV: " + error.what();
  } catch (const std::runtime_error& error) {
    table.error = error.what();
  }
  return table;
}

// -- The job

bool same_file(const std::string& one, const std::string& other) {
  struct stat first {};
  struct stat second {};
  return ::stat(one.c_str(), &first) == 0 && ::stat(other.c_str(), &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

// Into the file that is there, if one is: its mode and the links to it stay.
void write_file(const std::string& path, const std::string& content) {
  const File file(std::fopen(path.c_str(), "wbe"), &std::fclose);
  if (!file) throw FileError(errno, "cannot write", path);
  if (std::fwrite(content.data(), 1, content.size(), file.get()) != content.size() ||
      std::fflush(file.get()) != 0)
    throw FileError(errno, "cannot write", path);
}

void convert(Job& job) {
  if (job.args().size() != 3) {
    job.print_error("SIP UUID or path to JSON metadata not provided!");
    job.set_status(1, "error");
    return;
  }
  const std::string& path = job.arg(2);
  if (!exists(path)) return;
  JsonValue top;
  try {
    top = read_json(read_file(path));
  } catch (const std::invalid_argument& error) {
    throw std::runtime_error("cannot read " + path + ": " + error.what() + ".");
  }
  const Table table = make_table(top, path);
  const std::string csv = csv_path(path);
  // The table takes the place of the JSON where both have one name, but only when it is whole.
  if (table.error.empty() || !same_file(path, csv)) write_file(csv, table.text);
  if (!table.error.empty()) throw std::runtime_error(table.error);
}

}  // namespace

void call(Jobs jobs) { for_each_job(jobs, convert); }

int concurrent_instances() { return static_cast<int>(std::max(1U, std::thread::hardware_concurrency())); }

bool independent_jobs() { return true; }
