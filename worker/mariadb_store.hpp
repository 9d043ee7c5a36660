// The rows of the controller's table Tasks: how entries become statements, and what the rows tell of tasks
// that come again.
//
// A group of entries is one transaction and, as a rule, one packet: an UPDATE for the start of each batch,
// one that joins a table of results for its end, and COMMIT. Everything may be done twice, so what a lost
// connection leaves in doubt is done again. A row that is missing is no error: only the controller makes
// rows.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "worker/mariadb_columns.hpp"
#include "worker/mariadb_connector.hpp"
#include "worker/record_writer.hpp"

namespace quire {

class MariadbStore final : public RecordStore {
 public:
  struct Options {
    MariadbAddress address;
    std::string client;          // who ran a task: "host:pid"
    bool capture_output = true;  // false: only the errors of tasks that failed are written
    bool has_refuge = false;     // results that cannot be written are noted in our record
  };

  // Connects to nothing yet.
  explicit MariadbStore(Options options);

  // Connects and looks at the table, unless that is done. Throws MariadbError, and std::runtime_error with
  // the rest of a sentence where the table is not the controller's.
  void open(std::chrono::milliseconds wait);

  std::string name() const override { return connector_.address().describe(); }

  bool has_refuge() const { return options_.has_refuge; }
  std::string refuge() const override { return has_refuge() ? "in the record" : "in memory"; }

  // Whether the last write() has written.
  bool has_written() const { return has_written_; }

  // A connection that is gone and rows that somebody else has locked count as busy.
  void write(std::span<const RecordEntry> entries, std::chrono::milliseconds wait) override;

 private:
  // Statements on their way into one transaction, in as few packets as the server takes.
  class Transaction;

  // A batch that begins, and where its statements are in the transaction.
  struct Beginning {
    const RecordEntry* entry;
    std::size_t first;
    std::size_t statements;
  };

  void attempt(std::span<const RecordEntry> entries, std::chrono::milliseconds wait);
  Beginning add_begin(Transaction& transaction, const RecordEntry& entry);
  void add_interruption(Transaction& transaction, const RecordEntry& entry);
  void add_end(Transaction& transaction, const RecordEntry& entry);
  void look_up_ended(const RecordEntry& entry);
  void close();

  // Lists of quoted ids, each as long as a statement may be.
  std::vector<std::string> id_lists(const std::vector<Task*>& tasks) const;
  void append_id(std::string& statement, const std::string& id) const;
  void append_text(std::string& statement, const TextColumn& column, const std::string& bytes,
                   std::size_t room) const;
  std::size_t quoted_size(const std::string& text) const;
  std::size_t statement_limit() const;

  const Options options_;
  const std::string client_;  // as the column holds it
  MariadbConnector connector_;
  std::optional<TaskColumns> columns_;  // of the connection that is open
  bool has_written_ = false;
  MariadbConnection* connection_ = nullptr;  // while a call is under way
};

}  // namespace quire
