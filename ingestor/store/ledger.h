#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <SQLiteCpp/SQLiteCpp.h>

#include "common/time.h"
#include "ingestor/store/commit_log.h"
#include "queue/envelope.h"

namespace heliograph::ingestor {

/// What became of a queue file, as the ledger keeps it for whoever asks.
enum class Outcome {
  kApplied,     ///< a commit came of it
  kDone,        ///< carried out, with nothing that is versioned
  kNoop,        ///< it said what was known already
  kStale,       ///< an older state than the one applied, or too old a file
  kSuperseded,  ///< a newer full state of the same stream waits behind it
  kConflict,    ///< based on a state that has moved on
  kRejected,    ///< it cannot be applied at all
  kWrongEpoch,  ///< computed from another database, or from a future that this one has not seen
};
std::string_view Name(Outcome outcome);

/// The outcome with its reason for a person, and what the asker wants to know beside it.
struct Verdict {
  Outcome outcome = Outcome::kRejected;
  std::string reason;
  std::optional<CommitSeq> commit;    ///< present exactly for kApplied
  std::optional<std::string> result;  ///< JSON

  static Verdict Of(Outcome outcome, std::string reason) { return {outcome, std::move(reason), {}, {}}; }
};

/// One row for each queue file that was ever dealt with. Rows never change.
class Ledger {
 public:
  explicit Ledger(SQLite::Database& database);

  /// The outcome of the file with this id, or nothing when it was never dealt with.
  std::optional<Outcome> Find(const std::string& id);
  /// Why it had that outcome; empty when the id is not known.
  std::string Reason(const std::string& id);

  /// The highest watermark of this stream that was carried out, or found to change nothing; 0 for none.
  std::int64_t NewestWatermark(BranchId branch, const std::string& stream);

  /// The highest producer_seq of this stream that was carried out, or found to change nothing; 0 for none.
  std::int64_t NewestProducerSeq(BranchId branch, const std::string& stream);

  void Record(const std::string& id, const queue::Envelope& envelope, const Verdict& verdict, UtcMillis now,
              const std::string& boot_id);
  /// For a file that has no header worth believing.
  void RecordUnreadable(const std::string& id, const std::string& reason, UtcMillis now,
                        const std::string& boot_id);

 private:
  std::int64_t Newest(const char* column, BranchId branch, const std::string& stream);
  UtcMillis NextTime(UtcMillis now);

  SQLite::Database& database_;
};

}  // namespace heliograph::ingestor
