// What the columns of the controller's table hold, and how a text is made to fit into one.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "worker/mariadb_connection.hpp"

namespace quire {

struct TextColumn {
  enum class Holds {
    bytes,        // a BLOB or BINARY: all
    characters,   // UTF-8
    basic_plane,  // utf8mb3: UTF-8 without characters of four bytes
  };
  Holds holds = Holds::characters;
  std::string character_set;  // empty for bytes
  std::string collation;
  std::size_t bytes = 0;  // as many are there at most

  // The text as the column can hold it: U+FFFD stands for what it cannot.
  std::string readable(std::string_view text) const;
};

// The columns of Tasks that matter, and what the server takes at once.
struct TaskColumns {
  TextColumn id;
  TextColumn client;
  TextColumn output;
  TextColumn error;
  std::size_t max_allowed_packet = 0;

  // Asks the server. Throws MariadbError, and std::runtime_error with the rest of a sentence where the
  // database has no such table, or one that is not the controller's.
  static TaskColumns read(MariadbConnection& connection);
};

// The text, or its beginning and its end with a line between them that says what is missing and why: "[quire:
// 1234 bytes are missing here: max_allowed_packet of the database is 16777216 bytes]". It is cut between
// characters. limit: how many bytes it may take, that line included. why: "… is …", without a full stop.
std::string cut_to(std::string_view text, std::size_t limit, const std::string& why);

}  // namespace quire
