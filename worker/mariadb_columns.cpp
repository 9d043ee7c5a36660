#include "worker/mariadb_columns.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>

#include "common/text.hpp"

namespace quire {
namespace {

bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

// REQUIRES: the text is UTF-8
std::string without_four_byte_characters(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (static_cast<unsigned char>(text[i]) < 0xF0) {
      result += text[i];
      continue;
    }
    result += "\uFFFD";
    i += 3;
  }
  return result;
}

TextColumn text_column(const MariadbConnection::Row& row) {
  TextColumn column;
  column.character_set = row[1].value_or("");
  column.collation = row[2].value_or("");
  column.bytes = row[3] ? std::stoull(*row[3]) : 0;
  if (column.character_set.empty()) {
    column.holds = TextColumn::Holds::bytes;
  } else if (column.character_set == "utf8mb3" || column.character_set == "utf8") {
    column.holds = TextColumn::Holds::basic_plane;
  }
  return column;
}

}  // namespace

std::string TextColumn::readable(std::string_view text) const {
  switch (holds) {
    case Holds::bytes:
      return std::string(text);
    case Holds::basic_plane:
      return without_four_byte_characters(to_utf8(text));
    case Holds::characters:
      break;
  }
  return to_utf8(text);
}

TaskColumns TaskColumns::read(MariadbConnection& connection) {
  const auto results = connection.execute(
      "SELECT @@max_allowed_packet;"
      "SELECT LOWER(COLUMN_NAME), CHARACTER_SET_NAME, COLLATION_NAME, CHARACTER_OCTET_LENGTH "
      "FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'Tasks'");
  std::map<std::string, TextColumn> columns;
  for (const MariadbConnection::Row& row : results[1].rows) columns[row[0].value_or("")] = text_column(row);
  if (columns.empty()) {
    throw std::runtime_error("it has no table Tasks; name the controller's own database");
  }
  for (const char* name : {"taskuuid", "client", "starttime", "endtime", "exitcode", "stdout", "stderror"}) {
    if (!columns.contains(name)) {
      throw std::runtime_error(std::string("its table Tasks has no column ") + name +
                               "; name the database of Archivematica or CCP");
    }
  }
  return {.id = columns["taskuuid"],
          .client = columns["client"],
          .output = columns["stdout"],
          .error = columns["stderror"],
          .max_allowed_packet = std::stoull(results[0].rows.at(0).at(0).value_or("0"))};
}

std::string cut_to(std::string_view text, std::size_t limit, const std::string& why) {
  if (text.size() <= limit) return std::string(text);
  const auto line = [&](std::size_t missing) {
    return "\n[quire: " + std::to_string(missing) + " bytes are missing here: " + why + "]\n";
  };
  const std::size_t room = limit - std::min(limit, line(text.size()).size());
  std::size_t head = room / 2;
  while (head > 0 && continues(text[head])) --head;
  std::size_t tail = text.size() - (room - room / 2);
  while (tail < text.size() && continues(text[tail])) ++tail;
  std::string result(text.substr(0, head));
  result += line(tail - head);
  result += text.substr(tail);
  return result;
}

}  // namespace quire
