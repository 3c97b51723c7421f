#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "common/ulid.h"
#include "queue/publisher.h"
#include "server/analytics/cycle_report.h"
#include "server/requests/ledger_numbers.h"
#include "server/state/reader_pool.h"

namespace heliograph::server {

/// A report that says no more than this.
StreamReport PlainReport(StreamReport::Result result, std::string text);

/// Hands the snapshots of one stream to the ingestor: at most one file waits at a time, the same is not
/// published twice in a row, and the outcome of each is looked for, so that one that was refused is not taken
/// for one that was stored. Used by one thread at a time.
class SnapshotStream {
 public:
  struct Settings {
    queue::Kind kind{};
    std::string name;  ///< of the stream
    std::string noun;  ///< what one file is, for people: "capability snapshot"
    /// Publishes although an older file waits: for commands that run once and cannot wait.
    bool supersede_pending = false;
  };

  /// The others outlive it.
  SnapshotStream(Settings settings, queue::Publisher& publisher, ReaderPool& readers);

  /// To be called in every cycle, whether there is something to publish or not: tells the publisher the
  /// ledger's highest number before the first file of this epoch, and looks for the outcome of the last one.
  /// Throws what ReaderPool::Read throws.
  void Settle(const std::string& epoch);

  /// What a snapshot was computed from.
  struct Basis {
    std::string epoch;
    std::int64_t watermark = 0;
    std::int64_t head_seq = 0;
  };
  /// Publishes what `encode` returns, unless a file waits or the last one said the same. `encode` is called
  /// only when nothing waits.
  StreamReport Offer(const Basis& basis, const std::function<std::string()>& encode);

 private:
  struct Published {
    Ulid id;
    std::string epoch;
    std::string payload;
  };

  std::optional<StreamReport> FindOutstanding(const Basis& basis) const;

  const Settings settings_;
  queue::Publisher& publisher_;
  ReaderPool& readers_;
  LedgerNumbers ledger_;
  std::optional<Published> last_;  ///< the newest file
  bool last_settled_ = true;       ///< its outcome is known
};

}  // namespace heliograph::server
