// The schema of the SQLite record, its versions, and how an older file becomes a current one.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

namespace quire {

// "Quir": tells a record from any other SQLite file.
inline constexpr int record_application_id = 0x51756972;

// Makes an empty file a record, or brings an older record up to date, in one transaction; switches to WAL
// mode. Throws SQLite::Exception, or std::runtime_error with a sentence's end where the file is not a record,
// or is a later version's.
void prepare_record(SQLite::Database& database);

}  // namespace quire
