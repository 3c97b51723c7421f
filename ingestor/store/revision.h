#pragma once

#include <cstdint>

#include <SQLiteCpp/SQLiteCpp.h>

namespace heliograph::ingestor {

/// The counter that rows of nodes and observers carry, so that a reader finds what changed. One value for
/// each transaction.
class Revision {
 public:
  explicit Revision(SQLite::Database& database)
      : current_(database
                     .execAndGet("SELECT max(coalesce((SELECT max(revision) FROM nodes), 0),"
                                 " coalesce((SELECT max(revision) FROM inactive_nodes), 0),"
                                 " coalesce((SELECT max(revision) FROM removed_nodes), 0),"
                                 " coalesce((SELECT max(revision) FROM observers), 0))")
                     .getInt64()) {}

  /// What rows written in this transaction carry.
  std::int64_t current() const { return current_; }
  /// Called once at the start of each transaction.
  void Advance() { ++current_; }

 private:
  std::int64_t current_;
};

}  // namespace heliograph::ingestor
