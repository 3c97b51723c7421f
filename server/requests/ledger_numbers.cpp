#include "server/requests/ledger_numbers.h"

namespace heliograph::server {
namespace {

std::int64_t HighestProducerSequence(ReaderConnection& connection) {
  SQLite::Statement& row = connection.Prepared("SELECT coalesce(max(producer_seq), 0) FROM ledger");
  row.executeStep();
  return row.getColumn(0).getInt64();
}

}  // namespace

void LedgerNumbers::Observe(const std::string& epoch) {
  const std::lock_guard lock(mutex_);
  if (epoch == epoch_) return;
  publisher_.ObserveLedger(readers_.Read(HighestProducerSequence));
  epoch_ = epoch;
}

}  // namespace heliograph::server
