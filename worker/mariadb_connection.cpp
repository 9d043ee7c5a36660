#include "worker/mariadb_connection.hpp"

#include <fcntl.h>
#include <mysql.h>

#include <algorithm>
#include <array>
#include <mutex>

namespace quire {
namespace {

template <std::size_t size>
bool is_one_of(unsigned code, const std::array<unsigned, size>& codes) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

const char* or_null(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

void set_up_library() {
  static std::once_flag once;
  std::call_once(once, [] { ::mysql_server_init(0, nullptr, nullptr); });
}

}  // namespace

bool MariadbError::connection_lost() const {
  // Of the server: shutting down, killed, no memory or room for one connection more. 2000 and more: the
  // library's.
  return is_one_of(code, std::array{1040U, 1041U, 1042U, 1043U, 1053U, 1077U, 1078U, 1079U, 1080U, 1152U,
                                    1158U, 1159U, 1160U, 1161U, 1184U, 1203U, 1226U, 1317U, 1927U, 4031U}) ||
         (code >= 2000 && code != 2020);
}

bool MariadbError::about_a_value() const {
  return is_one_of(code, std::array{1064U, 1153U, 1264U, 1265U, 1292U, 1366U, 1406U, 2020U, 3988U});
}

bool MariadbError::about_the_address() const {
  return is_one_of(code, std::array{1044U, 1045U, 1049U, 1130U, 1698U, 1862U, 3118U});
}

void MariadbConnection::Close::operator()(st_mysql* handle) const { ::mysql_close(handle); }

MariadbConnection::MariadbConnection(const MariadbAddress& address, std::chrono::seconds patience) {
  set_up_library();
  handle_.reset(::mysql_init(nullptr));
  if (!handle_) throw std::bad_alloc();
  MYSQL* const handle = handle_.get();
  const unsigned seconds = static_cast<unsigned>(patience.count());
  const my_bool off = 0;
  for (const mysql_option option :
       {MYSQL_OPT_CONNECT_TIMEOUT, MYSQL_OPT_READ_TIMEOUT, MYSQL_OPT_WRITE_TIMEOUT}) {
    ::mysql_optionsv(handle, option, &seconds);
  }
  ::mysql_optionsv(handle, MYSQL_OPT_RECONNECT, &off);  // what was begun would go on in another transaction
  const unsigned no_files = 0;
  ::mysql_optionsv(handle, MYSQL_OPT_LOCAL_INFILE,
                   &no_files);  // the server may not ask for files of this host
  ::mysql_optionsv(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  const bool by_socket = !address.socket.empty();
  if (::mysql_real_connect(handle, by_socket ? "localhost" : or_null(address.host), or_null(address.user),
                           address.password.c_str(), or_null(address.database), by_socket ? 0 : address.port,
                           or_null(address.socket), CLIENT_MULTI_STATEMENTS | CLIENT_FOUND_ROWS) == nullptr) {
    fail();
  }
  const int descriptor = static_cast<int>(::mysql_get_socket(handle));
  ::fcntl(descriptor, F_SETFD, ::fcntl(descriptor, F_GETFD) | FD_CLOEXEC);
}

MariadbConnection::~MariadbConnection() = default;

std::vector<MariadbConnection::Result> MariadbConnection::execute(std::string_view statements) {
  MYSQL* const handle = handle_.get();
  if (::mysql_real_query(handle, statements.data(), statements.size()) != 0) fail();
  std::vector<Result> results;
  for (int next = 0; next == 0; next = ::mysql_next_result(handle)) {
    results.push_back(take_result());
  }
  if (::mysql_errno(handle) != 0) fail();
  return results;
}

MariadbConnection::Result MariadbConnection::take_result() {
  MYSQL* const handle = handle_.get();
  Result result;
  const std::unique_ptr<MYSQL_RES, decltype(&::mysql_free_result)> rows(::mysql_store_result(handle),
                                                                        &::mysql_free_result);
  if (!rows) {
    if (::mysql_field_count(handle) > 0) fail();
    result.matched = ::mysql_affected_rows(handle);
    return result;
  }
  const unsigned columns = ::mysql_num_fields(rows.get());
  while (const MYSQL_ROW row = ::mysql_fetch_row(rows.get())) {
    const unsigned long* const lengths = ::mysql_fetch_lengths(rows.get());
    Row& values = result.rows.emplace_back(columns);
    for (unsigned i = 0; i < columns; ++i) {
      if (row[i] != nullptr) values[i].emplace(row[i], lengths[i]);
    }
  }
  return result;
}

void MariadbConnection::append_quoted(std::string& statement, std::string_view bytes) const {
  const std::size_t begin = statement.size();
  statement.resize(begin + 2 * bytes.size() + 2);
  statement[begin] = '\'';
  const unsigned long length =
      ::mysql_real_escape_string(handle_.get(), statement.data() + begin + 1, bytes.data(), bytes.size());
  statement.resize(begin + 1 + length);
  statement += '\'';
}

void MariadbConnection::fail() const {
  std::string what = ::mysql_error(handle_.get());
  const unsigned code = ::mysql_errno(handle_.get());
  while (what.ends_with('.')) what.pop_back();
  throw MariadbError(what + " (error " + std::to_string(code) + ")", code);
}

}  // namespace quire
