#pragma once

#include <mutex>
#include <string>

#include "queue/publisher.h"
#include "server/state/reader_pool.h"

namespace heliograph::server {

/// Tells a publisher the highest number that a database's ledger holds, before the first file that rests on
/// it. Thread-safe.
class LedgerNumbers {
 public:
  /// The arguments outlive it.
  LedgerNumbers(queue::Publisher& publisher, ReaderPool& readers)
      : publisher_(publisher), readers_(readers) {}

  /// Reads the ledger the first time that it is called for this epoch; costs nothing afterwards. Throws what
  /// ReaderPool::Read throws.
  void Observe(const std::string& epoch);

 private:
  queue::Publisher& publisher_;
  ReaderPool& readers_;
  std::mutex mutex_;
  std::string epoch_;  ///< of the last reading; guarded by mutex_
};

}  // namespace heliograph::server
