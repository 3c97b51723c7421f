#pragma once

#include <optional>
#include <string>

#include <SQLiteCpp/SQLiteCpp.h>

#include "common/time.h"
#include "ingestor/store/commit_log.h"

namespace heliograph::ingestor {

/// Names for commits that retention keeps answerable. Used by the writer's thread, inside its transaction.
class PinStore {
 public:
  explicit PinStore(SQLite::Database& database) : database_(database) {}

  struct Pin {
    CommitSeq commit{};
    std::optional<UtcMillis> expires_at;
    bool operator==(const Pin&) const = default;
  };
  std::optional<Pin> Find(const std::string& name);
  /// Sets the pin, in the place of one of the same name.
  void Set(const std::string& name, const Pin& pin, const std::string& actor, UtcMillis now);
  /// False when there is none of that name.
  bool Remove(const std::string& name);

 private:
  SQLite::Database& database_;
};

}  // namespace heliograph::ingestor
