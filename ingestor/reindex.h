#pragma once

#include <cstdint>
#include <functional>

#include "ingestor/prepared.h"
#include "ingestor/store/mesh_store.h"

namespace heliograph::ingestor {

struct ReindexReport {
  std::int64_t transmissions = 0;  ///< looked at
  std::int64_t corrected = 0;      ///< whose origin, channel, scope or count was another one
  std::int64_t refused =
      0;  ///< that the present decoder would not take; they are kept as packets without an origin
  std::int64_t nodes = 0;  ///< active and inactive ones afterwards
};

/// Decodes and verifies a stored frame, as Preparer::Interpret does.
using Interpreter = std::function<Prepared(const PreparedPacket&)>;

/// Called now and then with the transmissions read so far and all of them. The nodes, which follow, are few.
using ReindexProgress = std::function<void(std::int64_t read, std::int64_t total)>;

/// Derives everything again from the stored packets with the present decoder, keys and rules: the origin,
/// channel and scope of each transmission, and the nodes from their adverts. What was concluded, what
/// observers said of themselves, and nodes whose adverts are no longer stored stay as they are; a node whose
/// every advert is refused now is removed. It works in chunks, each a transaction: when it is interrupted,
/// running it again ends it. REQUIRED: no transaction is open, and the caller holds the volume's lock.
ReindexReport Reindex(MeshStore& store, const Interpreter& interpret, const ReindexProgress& progress = {});

}  // namespace heliograph::ingestor
