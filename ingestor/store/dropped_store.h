#pragma once

#include <cstddef>

#include <SQLiteCpp/SQLiteCpp.h>

#include "ingestor/prepared.h"

namespace heliograph::ingestor {

/// The last packets that were refused, for whoever wonders where they are. Capped: the oldest go first, so
/// that a flood of rubbish cannot fill the disk. Used by the writer's thread, inside its transaction.
class DroppedStore {
 public:
  static constexpr std::size_t kDefaultCap = 10'000;

  explicit DroppedStore(SQLite::Database& database, std::size_t cap = kDefaultCap);

  /// Keeps `drop` if it is about a packet; refusals by topic or filter are only counted, elsewhere. At most
  /// 512 bytes of the frame are kept.
  void Add(const PreparedDrop& drop, const std::string& source_name);

  /// Deletes what exceeds the cap. REQUIRED before the transaction commits.
  void Flush();

 private:
  SQLite::Statement insert_, trim_;
  std::size_t cap_;
  bool added_ = false;
};

}  // namespace heliograph::ingestor
