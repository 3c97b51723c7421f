#include "ingestor/apply/applier.h"
#include "ingestor/apply/neighbor_staging.h"

namespace heliograph::ingestor {

Verdict ApplyNeighborSnapshot(const ApplyContext& context, const queue::QueueFile&) {
  return context.neighbors->Finish(context.store);
}

}  // namespace heliograph::ingestor
